// Starts Latchkey in its own document. ES5 without anything to rely on but
// looks.js: it runs in the browsers whose sign-in fails. It looks at what is
// known at once, shows the server's judgement of that, starts the WebAssembly and
// watches it, and if that does not come up or dies, leaves the person with a
// full answer.
(function (window, document) {
  'use strict';

  var STALL = 45000; // ms until a download counts as stalled: six times a slow line's 7 s
  var PATIENCE = 600; // ms that the Go program gets before the server is asked
  var ASK = 2000; // ms that a look may take, as in Go's probes
  var ASK_OTHERS = 7000; // ms where it waits for other sites or a slow line
  var BEAT = 2000; // ms between two questions whether the Go program lives
  var SILENCE = 12000; // ms in which it may say nothing while it looks: its looks take 8 s at most

  var latchkey = window.latchkey; // of looks.js; without it the page stays as it was served
  if (!latchkey || !latchkey.looks) return; // an element has that id
  var config = latchkey.config, each = latchkey.each, request = latchkey.request, looks = latchkey.looks, now = latchkey.now;
  var html = document.documentElement;
  // The newest whole answer of the server, for when it gives no more.
  var kept = { tier: 'html', view: main().cloneNode(true), report: byId('latchkey-report').textContent };
  var reason = ''; // why the wasm tier cannot run, as the contract names it
  var up = false; // the Go program shows the answer
  var final = false; // no higher tier is pending
  var alone = config.alone;
  var steps = latchkey.steps;
  var page = {}; // what embed.js recorded
  var under = {}; // who waits for the looks that are under way
  var slow = {}; // facts that take a request or an event
  var host = null; // the login page's window, and its origin
  var origin = '';
  var focus = ''; // id of the focused element
  var asked = 0; // number of the newest question to the server
  var heard = 0; // when the Go program last told how things stand
  var wasmType = null;
  var wasmTime;

  function byId(id) { return document.getElementById(id); }
  function main() { return byId('latchkey'); }

  // A module that counts to 1,000,000: typeof and validate() say yes where a policy
  // or a missing compiler refuses it, and an interpreter takes its time.
  function wasm() {
    if (typeof WebAssembly !== 'object') {
      reason = 'absent';
      return { error: 'undefined' };
    }
    try {
      var count = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([
        0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 23, 1, 21, 1, 1, 127,
        3, 64, 32, 0, 65, 1, 106, 34, 0, 65, 192, 132, 61, 72, 13, 0, 11, 11
      ]))).exports.f, start = now();
      count();
      wasmTime = { value: now() - start };
      return { value: true };
    } catch (e) {
      reason = /content security|csp|unsafe-eval|disallowed by embedder/i.test(e.message) ? 'policy' : 'no-compiler';
      return latchkey.failure(e);
    }
  }
  var wasmFact = wasm();

  // All that is known so far.
  function look() {
    var seen = latchkey.look(page, slow);
    seen.run.tier = up ? 'wasm' : 'script';
    seen.run.tier_reason = reason;
    seen.run.before = steps.before;
    seen.run.tried = steps.tried;
    seen.script.wasm = wasmFact;
    seen.script.wasm_time = wasmTime;
    if (locked() && seen.storage) seen.storage.indexed_db = seen.storage.cache = { error: 'timeout' };
    if (wasmType) seen.script.wasm_type = { value: wasmType };
    return seen;
  }

  // Takes all the slow looks of the script tier side by side, and calls back
  // once all have answered or had their time.
  function lookSlowly(done) {
    var names = ['claim', 'clock', 'cookies', 'indexedDB', 'cache', 'third', 'caps', 'tabs', 'opfs', 'build', 'network', 'echoes', 'sample'], waiting = names.length;
    each(names, function (name) {
      var open = true, timer = setTimeout(one, /^(third|network|echoes|clock)$/.test(name) ? ASK_OTHERS : ASK);
      function one() {
        clearTimeout(timer);
        if (open && !--waiting && done) done();
        open = false;
      }
      slow[name] = { error: 'timeout' };
      take(name, function (f) { slow[name] = f; one(); });
    });
  }

  // ---- Showing

  // Says on the page and to the login page how things stand. report is JSON.
  function publish(tier, done, report) {
    html.setAttribute('data-latchkey-tier', tier);
    byId('latchkey-report').textContent = report;
    var seen = JSON.parse(report), ids = [];
    each(seen.findings, function (f) { ids.push(f.check); });
    html.setAttribute('data-latchkey-state', done ? 'done' : 'running');
    if (done) each(main().querySelectorAll('.storage-access'), ask);
    size();
    if (!done) return;
    steps.found = ids;
    steps.at = now();
    looks.stays(function (f) { if (!slow.gone && f.value && f.value.length) learn('gone', f); });
    var detail = { outcome: seen.outcome, tier: tier, top: ids[0] || '', findings: ids };
    tell({ type: 'result', detail: detail });
    if (document.querySelector('[data-latchkey-fixed]')) tell({ type: 'fixed', detail: detail });
  }

  // Judges again what is known, and a fact that came after the answer.
  function learn(name, f) {
    if (name) {
      slow[name] = f;
      steps.remember();
    }
    rejudge();
  }
  function rejudge() { if (up) latchkey.again(); else judge(); }
  latchkey.learn = learn;

  // Puts in the page of the other site that has the button for storage access:
  // it takes a click in that very frame.
  function ask(place) {
    if (place.firstChild) return;
    var f = document.createElement('iframe');
    f.id = 'latchkey-ask';
    f.title = place.getAttribute('data-title');
    f.src = config.third + '/third/ask?for=' + location.protocol + '//' + location.host + '&' + latchkey.spoken;
    place.appendChild(f);
  }

  // Where a person goes on in another browser: the page that is open here, or
  // the login page around the frame.
  function address() {
    try { return (config.frame ? window.parent : window).location.href; } catch (e) {
      return config.login || origin || document.referrer;
    }
  }
  function fill(view) {
    var at = view.querySelector('#latchkey-address');
    if (at) at.textContent = address();
  }

  // Puts another view in the place of the one shown.
  function show(view) {
    var old = main(), at = focus;
    fill(view);
    document.body.replaceChild(view, old);
    settle(old, view, at);
  }

  // Opens what was open and focuses what was focused, before the next paint.
  function settle(old, view, at) {
    each(old.querySelectorAll('details[open]'), function (d) {
      var same = d.id && byId(d.id);
      if (same) same.setAttribute('open', '');
    });
    var target = at && byId(at);
    if (target && view.contains(target)) target.focus({ preventScroll: true });
    if (locked()) {
      each(view.querySelectorAll('.lockdown'), function (n) { n.removeAttribute('hidden'); });
    }
  }

  // Lockdown Mode is nobody else's business, so it is told here and what it takes
  // away is not. Signature of Safari 26.4 (GRIN/eranos notes, 2026-04): all of
  // these are missing.
  function locked() {
    return /AppleWebKit/.test(navigator.userAgent) && !/Chrom/.test(navigator.userAgent) && reason === 'absent' &&
      !window.indexedDB && !window.caches && !navigator.serviceWorker && !window.RTCPeerConnection && navigator.locks === undefined;
  }

  // Shows the server's judgement of what is known.
  function judge() {
    var mine = ++asked, whole = final; // it may fall back before the answer comes
    request('POST', '/diagnose?' + latchkey.spoken + '&run=' + latchkey.run() + (config.frame ? '&frame=1' : '') + (whole ? '' : '&running=1'), JSON.stringify(look()), function (x) {
      if (mine !== asked || up) return;
      var box = document.createElement('div');
      box.innerHTML = x.responseText || '';
      var view = box.querySelector('main'), report = box.querySelector('[data-report]');
      if (x.status === 200 && view && report) {
        if (whole) kept = { tier: 'script', view: view.cloneNode(true), report: report.textContent };
        show(view);
        publish('script', whole, report.textContent);
      } else if (whole) {
        var why = alone[cutOff(x.status)];
        if (why) return showAlone(why);
        show(kept.view.cloneNode(true));
        if (x.status === 429 && box.firstElementChild) main().appendChild(box.firstElementChild);
        publish(kept.tier, true, kept.report);
      }
    });
  }

  // Why the server gave no answer of its own: somebody else answers, or nobody at
  // all does, and the browser may know.
  function cutOff(status) {
    var n = (slow.echoes || {}).value || {}, others = false;
    each((((slow.network || {}).value || {}).needs || {}).value || [], function (o) { others = others || o.again === 'yes' || o.there === 'yes'; });
    if (n.foreign && status !== 429) return 'foreign';
    return !status && n.sent && n.failed === n.sent && !others && (navigator.onLine === false ? 'off' : 'silent');
  }

  // Shows the newest answer, and before it that it was the last.
  function showAlone(why) {
    var view = kept.view.cloneNode(true), answer = view.querySelector('#latchkey-answer'), closer = view.querySelector('#latchkey-closer');
    var report = JSON.parse(kept.report), box = document.createElement('div');
    box.innerHTML = why.view;
    if (closer) closer.setAttribute('open', '');
    if (!report.findings.length) answer.textContent = ''; // it says that all is well
    answer.insertBefore(box.firstChild, answer.firstChild);
    report.findings.unshift(why.finding);
    report.advice.unshift({ fix: why.finding.fixes[0], helps: [why.finding.check] });
    show(view);
    publish(kept.tier, true, JSON.stringify(report));
  }

  function fallBack(why) {
    if (final && !up) return;
    reason = why || reason;
    up = false;
    final = true;
    lookSlowly(judge);
  }

  // ---- The Go program

  function start() {
    var s = document.createElement('script');
    s.src = config.exec;
    s.onerror = function () { fallBack('http'); };
    s.onload = function () { if (window.Go) load(new Go()); else fallBack('crashed'); };
    document.head.appendChild(s);
    setTimeout(function () { if (!up) fallBack('stalled'); }, STALL);
  }

  // The module goes straight into instantiateStreaming: any other way keeps
  // a copy of it. Under a wrong content type that is refused; a buffer is not.
  function load(go) {
    var why = 'http';
    latchkey.loading = true;
    fetch(config.wasm).then(function (r) {
      if (!r.ok) throw r.status;
      var type = (r.headers.get('Content-Type') || '').split(';')[0];
      why = 'truncated';
      if (type === 'application/wasm' && WebAssembly.instantiateStreaming) {
        return WebAssembly.instantiateStreaming(r, go.importObject);
      }
      wasmType = type || 'none';
      return r.arrayBuffer().then(function (b) {
        var m = new Uint8Array(b, 0, Math.min(4, b.byteLength));
        if (m[0] !== 0 || m[1] !== 97 || m[2] !== 115 || m[3] !== 109) why = 'content-type';
        return WebAssembly.instantiate(b, go.importObject);
      });
    }).then(function (w) {
      latchkey.loading = false;
      if (final) return;
      standIn('localStorage');
      standIn('sessionStorage');
      watch();
      go.run(w.instance).then(dead, dead);
    })['catch'](function () {
      latchkey.loading = false;
      fallBack(why);
    });
  }

  // go-app reads storage unguarded and dies where that throws.
  function standIn(name) {
    var s;
    try { s = window[name]; } catch (e) { s = null; }
    if (s) return;
    var d = Object.getOwnPropertyDescriptor(window, name) || Object.getOwnPropertyDescriptor(Window.prototype, name);
    latchkey.real[name] = function () { return d && d.get ? d.get.call(window) : null; };
    var kept = {};
    Object.defineProperty(window, name, {
      configurable: true,
      value: {
        getItem: function (k) { return Object.prototype.hasOwnProperty.call(kept, k) ? kept[k] : null; },
        setItem: function (k, v) { kept[k] = String(v); },
        removeItem: function (k) { delete kept[k]; },
        clear: function () { kept = {}; },
        key: function (i) { return Object.keys(kept)[i] || null; },
        get length() { return Object.keys(kept).length; }
      }
    });
  }

  function dead() { fallBack('crashed'); }

  function watch() {
    // go-app puts its view in the place of ours.
    new MutationObserver(function (records) {
      each(records, function (r) {
        if (up && r.removedNodes[0] && r.removedNodes[0].tagName === 'MAIN' && main() !== r.removedNodes[0]) {
          settle(r.removedNodes[0], main(), focus);
        }
      });
    }).observe(document.body, { childList: true });
    // An exception that goes through Go's stack cuts it off. What is left may
    // still say that it lives.
    each(['error', 'unhandledrejection'], function (name) {
      window.addEventListener(name, function (e) {
        var x = e.error || e.reason;
        if (x && /wasm[-_]/.test(x.stack)) dead(); else beat();
      });
    });
    setInterval(beat, BEAT);
  }

  // A Go program that has ended throws when it is called; one that hangs says
  // nothing for longer than all its looks may take.
  function beat() {
    if (!up) return;
    try {
      if (latchkey.alive() && (now() - heard < SILENCE || html.getAttribute('data-latchkey-state') === 'done')) return;
    } catch (e) { /* it has ended */ }
    dead();
  }

  // ---- What Go calls, and sets: again and alive.
  latchkey.early = function () { return JSON.stringify(look()); };
  // Looks, or waits for a look that is under way.
  function take(name, done) {
    var waiting = under[name];
    if (waiting) return waiting.push(done);
    waiting = under[name] = [done];
    looks[name](function (f) {
      delete under[name];
      each(waiting, function (done) { done(f); });
    });
  }
  latchkey.take = take;
  steps.watch(rejudge, lookAgain);
  latchkey.onStep(function () {
    if (html.getAttribute('data-latchkey-state') !== 'done') return false;
    latchkey.forget();
    steps.remember();
    lookAgain();
    return true;
  });
  // A slow look as a promise of the value's JSON, rejected with "Name: message".
  latchkey.ask = function (name) {
    return new Promise(function (resolve, reject) {
      take(name, function (f) { if (f.error) reject(f.error); else resolve(JSON.stringify(f.value)); });
    });
  };
  // The Go program takes over, or dies unseen if it had been given up. Starting
  // took 0.1 s of the main thread and the first view takes as much, so the
  // browser gets to answer the person in between.
  latchkey.rise = function () {
    return new Promise(function (resolve, reject) {
      setTimeout(function () {
        if (final) return reject('given up');
        up = final = true;
        reason = '';
        heard = now();
        resolve();
      }, 0);
    });
  };
  latchkey.publish = function (done, report) {
    window.onclick = window.onpopstate = null; // go-app's, which would navigate on its own
    heard = now();
    if (up) publish('wasm', done, report);
  };

  // ---- The login page

  function tell(message) {
    if (!host) return;
    message.latchkey = 1;
    host.postMessage(message, origin);
  }

  function size() { tell({ type: 'size', height: Math.ceil(document.body.getBoundingClientRect().height) }); }

  window.addEventListener('message', function (e) {
    var d = e.data, frame = byId('latchkey-ask');
    if (d && d.allowed && frame && e.source === frame.contentWindow) return actions.again({});
    if (!d || d.latchkey !== 1 || d.type !== 'hello' || e.source !== window.parent || e.source === window) return;
    var own = location.protocol + '//' + location.host;
    if (e.origin !== own && config.origins.indexOf(e.origin) < 0) return;
    var first = !host;
    host = e.source;
    origin = e.origin;
    page = d.recorded || {};
    latchkey.page = page.page || {};
    tell({ type: 'ready', title: document.title });
    size();
    if (first && d.focus) byId('latchkey-title').focus();
    if (first && html.getAttribute('data-latchkey-state') === 'done') publish(html.getAttribute('data-latchkey-tier'), true, byId('latchkey-report').textContent);
  });

  // ---- The person

  document.addEventListener('click', function (e) {
    var n = e.target;
    while (n && n.getAttribute && !n.getAttribute('data-action')) n = n.parentNode;
    var act = n && n.getAttribute && actions[n.getAttribute('data-action')];
    if (!act) return;
    e.preventDefault();
    act(n);
  });

  var actions = {
    again: function (button) {
      steps.next(button);
      // Browsers open windows in a click alone. After a repair there is none.
      var active = navigator.userActivation ? navigator.userActivation.isActive : button.nodeType;
      if (config.popups && active) latchkey.popup(lookAgain); else lookAgain();
    },
    back: function () {
      if (host) return tell({ type: 'close' });
      if (config.login) location.href = config.login; else history.back();
    },
    reload: function () {
      var w = window;
      try { if (window.parent.document) w = window.parent; } catch (e) { /* another site's */ }
      w.location.replace(w.location.href.split('#')[0]);
    },
    copy: function (button) { copy('latchkey-summary', button); },
    'copy-it': function (button) { copy('latchkey-it', button); },
    'copy-link': function (button) {
      fill(document);
      copy('latchkey-address', button);
    },
    clear: function (button) {
      button.disabled = true;
      latchkey.clear(function (left) {
        button.disabled = false;
        actions.again({ value: button.value });
        slow.left = left;
      });
    },
    // Asks the app around us to open the page in the browser. Where the app does
    // not know the address, nothing happens.
    escape: function (button) {
      var to = address().split('#')[0], scheme = to.split(':')[0], rest = to.slice(scheme.length + 3);
      to = button.getAttribute('data-to').replace('{scheme}', scheme).replace('{rest}', rest)
        .replace('{encoded}', encodeURIComponent(to));
      try { window.top.location.href = to; } catch (e) { location.href = to; }
    }
  };

  function lookAgain(popups) {
    var frame = byId('latchkey-ask');
    if (steps.stuck(slow)) return location.reload();
    if (frame) frame.parentNode.removeChild(frame);
    // What others told stays.
    slow = { phone: slow.phone, popups: popups || slow.popups };
    html.setAttribute('data-latchkey-state', 'running');
    heard = now();
    if (up) return latchkey.again();
    wasmFact = wasm();
    lookSlowly(judge);
  }

  function copy(id, button) {
    var range = document.createRange(), selection = window.getSelection(), done = false;
    range.selectNodeContents(byId(id));
    selection.removeAllRanges();
    selection.addRange(range);
    try { done = document.execCommand('copy'); } catch (e) { /* the text stays selected */ }
    if (done) {
      button.textContent = button.getAttribute('data-done');
      size(); // it may take another line
    }
  }

  document.addEventListener('keydown', function (e) {
    if ((e.key === 'Escape' || e.keyCode === 27) && host) tell({ type: 'close' });
  });
  document.addEventListener('focusin', function (e) { focus = e.target.id || ''; });
  document.addEventListener('focusout', function () {
    var was = focus;
    setTimeout(function () { if (focus === was && document.activeElement === document.body) focus = ''; }, 0);
  });
  document.addEventListener('toggle', size, true);
  // What has a script of its own gets it when it is first opened.
  document.addEventListener('click', function (e) {
    var src = e.target.getAttribute('data-script'), s = document.createElement('script');
    if (!src || latchkey.size) return;
    latchkey.size = size;
    latchkey.copy = copy;
    s.src = src;
    document.head.appendChild(s);
  });
  window.addEventListener('resize', size);
  latchkey.resized = size;

  delete config.alone;
  config.address = address();
  byId('latchkey-config').textContent = JSON.stringify(config); // for the Go program
  fill(document);
  html.setAttribute('data-latchkey-state', 'running');
  each(document.querySelectorAll('progress'), function (p) { p.removeAttribute('value'); });
  if (wasmFact.value) {
    start();
    lookSlowly();
    setTimeout(function () { if (!up && !final) judge(); }, PATIENCE);
  } else {
    fallBack(reason);
  }
})(window, document);
