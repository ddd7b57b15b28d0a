"""One old browser engine in a window of its own, driven over file descriptors 3 and 4.

Usage: python3 -c SOURCE qtwebkit|chromium87|chromium102 WIDTH HEIGHT

Commands and answers have the framing and the shape of Chromium's debugging pipe
(JSON, each message ended by a NUL), so that the Go side has one transport:

    {"id": 1, "method": "navigate", "params": {"url": "http://..."}}
    {"id": 1, "result": {...}}  or  {"id": 1, "error": {"message": "..."}}
    {"method": "console", "params": {"level": "...", "text": "...", "url": "..."}}

The host leaves when descriptor 3 ends, that is when the test process is gone.
"""
import base64
import json
import os
import sys

engine, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

if engine == "qtwebkit":
    from PyQt5.QtCore import QBuffer, QByteArray, QSocketNotifier, QUrl
    from PyQt5.QtWebKit import QWebSettings
    from PyQt5.QtWebKitWidgets import QWebPage as EnginePage, QWebView as View
    from PyQt5.QtWidgets import QApplication
elif engine == "chromium87":
    from PyQt5.QtCore import QBuffer, QByteArray, QLocale, QSocketNotifier, QUrl
    from PyQt5.QtWebEngineWidgets import QWebEnginePage as EnginePage
    from PyQt5.QtWebEngineWidgets import QWebEngineProfile, QWebEngineView as View
    from PyQt5.QtWidgets import QApplication
else:
    from PyQt6.QtCore import QBuffer, QByteArray, QLocale, QSocketNotifier, QUrl
    from PyQt6.QtWebEngineCore import QWebEnginePage as EnginePage, QWebEngineProfile
    from PyQt6.QtWebEngineWidgets import QWebEngineView as View
    from PyQt6.QtWidgets import QApplication

commands = {}  # method name to function(id, params)
navigation = None  # id of the navigate command that waits for its load
received = b""


def send(message):
    data = json.dumps(message).encode() + b"\0"
    while data:
        data = data[os.write(4, data):]


def answer(id, **result):
    send({"id": id, "result": result})


def refuse(id, why):
    send({"id": id, "error": {"message": why}})


class Page(EnginePage):
    def javaScriptConsoleMessage(self, *message):
        # QtWebKit passes (text, line, source) and no level; QtWebEngine puts the level first.
        level = "log"
        if len(message) == 4:
            names = ("info", "warning", "error")
            level = names[int(getattr(message[0], "value", message[0]))]
        text, _, url = message[-3:]
        send({"method": "console", "params": {"level": level, "text": text, "url": url}})

    # A modal dialog would stop the host.
    def javaScriptAlert(self, origin, text):
        send({"method": "console", "params": {"level": "dialog", "text": text, "url": ""}})

    def javaScriptConfirm(self, origin, text):
        self.javaScriptAlert(origin, text)
        return True


def command(do):
    commands[do.__name__] = do
    return do


@command
def navigate(id, params):
    global navigation
    document, _, fragment = params["url"].partition("#")
    view.load(QUrl(params["url"]))
    if fragment and document == view.url().toString().partition("#")[0]:
        answer(id)  # the same document: no engine tells of a load
    else:
        navigation = id


def loaded(ok):
    global navigation
    id, navigation = navigation, None
    if id is None:
        return

    def done(protocol):
        if protocol == "chrome-error:":
            refuse(id, "load failed")
        else:
            answer(id)

    if ok:
        answer(id)
    elif engine == "qtwebkit":
        refuse(id, "load failed")
    else:
        # Qt WebEngine says so of any status from 400 on, even if a document came.
        page.runJavaScript("location.protocol", done)


@command
def eval(id, params):
    def done(value):
        answer(id, value=value)

    if engine == "qtwebkit":
        done(page.mainFrame().evaluateJavaScript(params["script"]))
    else:
        page.runJavaScript(params["script"], done)


@command
def screenshot(id, params):
    png = QByteArray()
    buffer = QBuffer(png)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    view.grab().save(buffer, "PNG")
    answer(id, data=base64.b64encode(png.data()).decode())


@command
def resize(id, params):
    view.resize(params["width"], params["height"])
    answer(id)


def readable(*_):
    global received
    chunk = os.read(3, 1 << 16)
    if not chunk:
        os._exit(0)
    *whole, received = (received + chunk).split(b"\0")
    for text in whole:
        message = json.loads(text)
        try:
            commands[message["method"]](message["id"], message["params"])
        except Exception as e:
            refuse(message["id"], repr(e))


app = QApplication(["qthost"])
view = View()
if engine == "qtwebkit":
    page = Page(view)
    # Off by default in the library, on in every browser that was built with it.
    settings = QWebSettings.globalSettings()
    settings.enablePersistentStorage(os.environ["HOME"])
    settings.setAttribute(QWebSettings.LocalStorageEnabled, True)
else:
    profile = QWebEngineProfile(view)  # no name: off the record
    # The browsers that these engines come from always send the header.
    profile.setHttpAcceptLanguage(QLocale.system().name().replace("_", "-"))
    page = Page(profile, view)
view.setPage(page)
view.loadFinished.connect(loaded)
view.resize(width, height)
view.show()
notifier = QSocketNotifier(3, QSocketNotifier.Type.Read)
notifier.activated.connect(readable)
app.exec()
