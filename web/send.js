// The part in which a person sends what was found. What goes stands in a text of the
// view; here what the person writes is put into it as they write, so that what they
// read is what goes, byte for byte. It is loaded with the page and not when the part is
// opened: where a network lets nothing out any more, copies have to be there. ES5
// without anything to rely on.
(function (window, document) {
  'use strict';

  var WAIT = 15000; // ms for an answer: the server takes 10 s to say that its store has none

  var latchkey = window.latchkey;
  if (!latchkey || !latchkey.looks) return; // as frame.js
  var html = document.documentElement;
  var kept = {}; // what the person wrote, by the names of the fields: a new view has none of it
  var form = null; // the newest view's
  var tried = ''; // what was sent last, and the id that it was sent under
  var id = '';
  var busy = false;
  var said = ''; // how that stands, and the label that it names
  var about = '';

  function byId(name) { return document.getElementById('latchkey-send-' + name); }

  // Writes what is not there already: each change is looked at again.
  function write(n, text) { if (n && n.textContent !== text) n.textContent = text; }

  // As report.Personal.Clean.
  function clean(s, line) {
    return (s || '').replace(/\r\n?/g, '\n').replace(/\t/g, ' ')
      .replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').replace(/\n/g, line).trim();
  }

  // The fields that were filled in, the note first.
  function answers() {
    var all = [], i, n, value;
    for (i = 0; i < form.elements.length; i++) {
      n = form.elements[i];
      value = clean(n.value, n.name === 'note' ? '\n' : '');
      if (value && /^(note$|field-)/.test(n.name)) all.push({ key: n.name.slice(6), label: label(n), value: value });
    }
    return all;
  }

  function label(n) {
    return n.getAttribute('data-label') || form.querySelector('label[for=' + n.id + ']').textContent;
  }

  // As Go writes it.
  function json(v) {
    return JSON.stringify(v).replace(/[<>&\u2028\u2029]/g, function (c) { return '\\u' + ('000' + c.charCodeAt(0).toString(16)).slice(-4); });
  }

  // What goes now; empty while there is nothing to send.
  function bytes() {
    var all = answers(), personal = {}, base = byId('bytes').defaultValue.trim();
    if (all[0] && !all[0].key) personal.note = all.shift().value;
    if (all.length) personal.fields = all;
    personal = json(personal);
    return personal === '{}' ? base : base.replace('"seen":', function (seen) { return '"personal":' + personal + ',' + seen; });
  }

  // Says how it stands, with the code in one piece.
  function tell(status, parts) {
    var code = document.createElement('strong');
    code.textContent = document.getElementById('latchkey-code').textContent;
    if (status.textContent === parts.join(code.textContent)) return;
    status.textContent = parts[0];
    if (parts.length < 2) return;
    status.appendChild(code);
    status.appendChild(document.createTextNode(parts[1]));
  }

  function show() {
    var box = byId('bytes'), now = bytes(), status = byId('status'), button = byId('send'), lines = answers().map(function (a) {
      return a.label + (a.key && ' (' + a.key + ')') + ': ' + a.value;
    });
    if (box.value !== now) box.value = now;
    write(byId('yours'), lines.join('\n'));
    byId('yours-title').hidden = !lines.length;
    if (said !== 'looking' && !busy && now !== tried) said = ''; // it is about something else
    tell(status, (status.getAttribute('data-' + said) || '').replace('{label}', function () { return about; }).split('{code}'));
    status.className = 'send-status ' + (said === 'arrived' ? 'fixed' : said && said !== 'sending' && said !== 'looking' ? 'persists' : '');
    if (!button) return;
    button.hidden = said === 'arrived';
    button.disabled = busy;
    if (/^(failed|wait)$/.test(said)) write(button, button.getAttribute('data-again'));
  }

  function say(what, name) {
    said = what;
    about = name || '';
    show();
    if (latchkey.resized) latchkey.resized();
  }

  // Who sends chooses the id, so that what was sent twice arrives once.
  function newID() {
    var all = 'abcdefghijklmnopqrstuvwxyz234567', name = '', i, r = [];
    try { r = window.crypto.getRandomValues(new Uint8Array(26)); } catch (e) { /* older than that */ }
    for (i = 0; i < 26; i++) name += all.charAt((r.length ? r[i] : Math.floor(Math.random() * 32)) % 32);
    return name;
  }

  function send() {
    var body = bytes(), x = new XMLHttpRequest();
    if (busy) return;
    if (!body || html.getAttribute('data-latchkey-state') !== 'done') return say('looking');
    if (body !== tried) id = newID();
    tried = body;
    busy = true;
    x.onreadystatechange = function () {
      var answer = {};
      if (x.readyState !== 4 || !busy) return;
      busy = false;
      try { answer = JSON.parse(x.responseText); } catch (e) { /* somebody else's, or none */ }
      say(x.status === 200 && answer.arrived ? 'arrived' : answer.why && byId('status').getAttribute('data-' + answer.why) ? answer.why : 'failed', answer.label);
    };
    x.open('POST', form.getAttribute('action'), true);
    x.timeout = WAIT;
    x.setRequestHeader('Content-Type', 'application/json');
    x.setRequestHeader('Accept', 'application/json');
    x.send('{"id":"' + id + '","token":"' + form.elements.token.value + '","report":' + body + '}');
    say('sending');
  }

  // All that goes, in words and as it is sent.
  function text() {
    var told = byId('told');
    return document.getElementById('latchkey-code').textContent + '\n\n' + (told.innerText || told.textContent) + '\n\n' + bytes();
  }

  var doing = {
    copy: function (button) {
      var box = byId('bytes'), part = byId('json'), done = false;
      function put(e) {
        e.clipboardData.setData('text/plain', text());
        e.preventDefault();
      }
      part.setAttribute('open', '');
      box.focus();
      box.setSelectionRange(0, box.value.length);
      document.addEventListener('copy', put);
      try { done = document.execCommand('copy'); } catch (e) { /* it stays selected */ }
      document.removeEventListener('copy', put);
      if (!done) return;
      button.focus();
      button.textContent = button.getAttribute('data-done');
    },
    download: function () {
      var a = document.createElement('a'), body = bytes();
      try { a.href = URL.createObjectURL(new Blob([body], { type: 'application/json' })); } catch (e) {
        a.href = 'data:application/json,' + encodeURIComponent(body);
      }
      a.download = 'latchkey-report.json';
      document.body.appendChild(a);
      a.click();
      document.body.removeChild(a);
    },
    print: function () { window.print(); },
    share: function () {
      navigator.share({ text: text() }).then(null, function () { /* it was not */ });
    }
  };

  // Looks after the part of each new view.
  function tick() {
    var now = byId('form'), name, n;
    if (!now) return;
    if (now !== form) {
      form = now;
      for (name in kept) {
        n = form.elements[name];
        if (n) n.value = kept[name];
      }
      form.onsubmit = function () {
        send();
        return false;
      };
      byId('share').hidden = !navigator.share;
      byId('print').hidden = !window.print;
    }
    if (said === 'looking' && html.getAttribute('data-latchkey-state') === 'done') said = '';
    show();
  }

  document.addEventListener('input', function (e) {
    if (!form || !form.contains(e.target)) return;
    kept[e.target.name] = e.target.value;
    show();
  });
  document.addEventListener('click', function (e) {
    var act = e.target.getAttribute && doing[e.target.getAttribute('data-send')];
    if (act) act(e.target);
  });
  if (window.MutationObserver) new MutationObserver(tick).observe(html, { attributes: true, attributeFilter: ['data-latchkey-state'], childList: true, characterData: true, subtree: true });
  else setInterval(tick, 1000);
  tick();
})(window, document);
