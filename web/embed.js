/* Latchkey in the login page: notes what fails here and, when asked, opens the
   frame that finds out why. ES5. No request, cookie or storage before that. */
(function (window, document) {
  'use strict';

  var scripts = document.querySelectorAll('script[src*="embed.js"]');
  var me = document.currentScript || scripts[scripts.length - 1]; // none in a module
  var parts = /^(https?:\/\/[^\/]+)([^?#]*)\/embed\.js([?#]|$)/.exec(me && me.src);
  if (!parts || (window.Latchkey && window.Latchkey.open)) return;
  var origin = parts[1], base = origin + parts[2];

  function attr(name) { return me.getAttribute('data-' + name) || ''; }
  function byId(name) { return document.getElementById(attr(name).replace('#', '')); }
  // Captures, for errors of resources do not bubble.
  function on(target, type, listener) { target.addEventListener(type, listener, true); }

  // The recorder.

  var loadedAt = performance.now(), failed = [], violations = [], errors = 0, restored = false;
  var extension = /^[a-z-]+-extension(:|$)/; // their trouble is not the page's

  function note(list, text) {
    if (list.length < 20 && list.indexOf(text) < 0) list.push(text);
  }
  // Queries are cut off: they may hold tokens.
  function bare(url) { return String(url).split(/[?#]/)[0].slice(0, 300); }
  function noteFailed(url) {
    if (/^https?:/.test(url) && url.indexOf(base + '/')) note(failed, bare(url));
  }

  on(window, 'error', function (e) {
    var t = e.target;
    if (t && t.nodeType) noteFailed(t.src || t.href);
    else if (!extension.test(e.filename)) errors++;
  });
  on(window, 'securitypolicyviolation', function (e) {
    if (e.disposition !== 'report' && !extension.test(e.blockedURI) && !extension.test(e.sourceFile)) {
      note(violations, (e.effectiveDirective || e.violatedDirective).split(' ')[0] + ' ' + bare(e.blockedURI));
    }
  });
  on(window, 'pageshow', function (e) {
    if (e.persisted) restored = true;
  });

  // A frame in another tab asks which tabs there are.
  var born = Date.now() + Math.random();
  try {
    var tabs = new BroadcastChannel('latchkey');
    tabs.onmessage = function (e) {
      if (!e.data) tabs.postMessage(born);
    };
  } catch (e) { /* none */ }

  function fact(look) {
    try { return { value: look() }; } catch (e) {
      return { error: e ? e.name + ': ' + e.message : String(e) };
    }
  }
  function storage(name) {
    return fact(function () {
      var s = window[name], key = 'latchkey' + Math.random();
      if (!s) throw s; // null and undefined are answers of their own
      s.setItem(key, key);
      var kept = s.getItem(key) === key;
      s.removeItem(key);
      return kept;
    });
  }
  function facts() {
    // What failed before us. Only a status says so: a size of 0 may be a cache.
    var entries = performance.getEntriesByType ? performance.getEntriesByType('resource') : [];
    entries.forEach(function (e) {
      if (e.responseStatus >= 400 && e.startTime < loadedAt && /^(script|link)$/.test(e.initiatorType)) noteFailed(e.name);
    });
    var all = {
      page: {
        age: fact(function () {
          // One goes on while a laptop sleeps, the other is never set back.
          return Math.round(Math.max(new Date() - performance.timing.navigationStart, performance.now()));
        }),
        restored: fact(function () { return restored || performance.navigation.type === 2; }),
        failed: { value: failed },
        violations: { value: violations }
      }
    };
    // What another origin's frame cannot see.
    if (origin !== location.protocol + '//' + location.host) {
      all.cookies = {
        enabled: { value: navigator.cookieEnabled },
        script: fact(function () {
          var cookie = 'latchkey' + Math.random() + '=1', rest = '; Path=/; SameSite=Lax';
          document.cookie = cookie + rest;
          var kept = document.cookie.indexOf(cookie) >= 0;
          document.cookie = cookie + rest + '; Expires=Thu, 01 Jan 1970 00:00:00 GMT';
          return kept;
        })
      };
      all.storage = { local: storage('localStorage'), session: storage('sessionStorage') };
    }
    return all;
  }

  // The opener.

  var shown; // what stands in the page: the frame or the link in its place
  var frame, query, recorded, focus, back, timer, left, committed, answered;

  function fire(name, detail) {
    var e = document.createEvent('CustomEvent');
    e.initCustomEvent('latchkey:' + name, false, false, detail);
    window.dispatchEvent(e);
  }
  function here(el) { return document.body.contains(el); }
  function password() { return document.querySelector('form input[type=password]'); }

  function place(el) {
    var target = byId('target'), form = me;
    while (form && form.nodeName !== 'FORM') form = form.parentNode;
    form = form || (password() || {}).form;
    if (target || !form) (target || document.body).appendChild(el);
    else form.parentNode.insertBefore(el, form.nextSibling);
  }
  function drop() {
    clearInterval(timer);
    if (shown && shown.parentNode) shown.parentNode.removeChild(shown);
    shown = frame = null;
  }

  function greet() {
    left = 31; // times 250 ms: nobody waits longer than 8 s
    clearInterval(timer);
    timer = setInterval(function () {
      if (!here(frame)) return drop(); // the page has drawn itself anew
      if (!left) return answered ? clearInterval(timer) : giveUp();
      left--;
      // A part that hangs keeps the load event away: wait only for the first,
      // empty document to go.
      try {
        if (!committed && frame.contentWindow.location.href === 'about:blank') return;
      } catch (e) { /* another origin: it has come */ }
      hello();
    }, 250);
  }
  function hello() {
    recorded.page.script_errors = { value: errors };
    frame.contentWindow.postMessage({
      latchkey: 1,
      type: 'hello',
      focus: focus && document.activeElement === frame, // unless the person has gone on
      recorded: recorded
    }, origin);
  }
  function giveUp() {
    var had = document.activeElement === frame, link = document.createElement('a');
    link.href = base + '/' + query;
    link.textContent = attr('link') || 'Trouble signing in? Find out why';
    shown = document.createElement('p');
    shown.appendChild(link);
    shown.appendChild(document.createElement('br'));
    shown.appendChild(document.createTextNode(attr('support')));
    frame.parentNode.replaceChild(shown, frame);
    frame = null;
    clearInterval(timer);
    if (had) link.focus();
  }

  function open(options, trigger) {
    options = options || {};
    if (frame && here(frame)) {
      if (options.focus) frame.focus();
      return;
    }
    drop();
    recorded = facts();
    query = '';
    ['outcome', 'reference', 'lang', 'rendered', 'address'].forEach(function (name) {
      var value = name === 'lang' ? document.documentElement.lang : options[name] || attr(name);
      // Half a surrogate pair throws.
      value = encodeURIComponent(String(value).replace(/[\ud800-\udfff]/g, ''));
      if (value) query += (query ? '&' : '?') + name + '=' + value;
    });
    focus = !!options.focus;
    back = trigger || document.activeElement;
    committed = answered = false;
    shown = frame = document.createElement('iframe');
    frame.title = 'Why you can\'t sign in';
    frame.src = base + '/frame' + query;
    frame.setAttribute('allow', 'clipboard-write'); // to copy the summary
    // Never 0 high: what cannot be seen is not drawn.
    frame.style.cssText = 'display:block;width:100%;height:150px;border:0';
    on(frame, 'load', function () {
      if (committed) { // a second document, which has heard nothing
        focus = false;
        greet();
      }
      committed = true;
      if (left) hello();
    });
    place(frame);
    if (focus) frame.focus();
    greet();
    fire('open');
  }

  function close() {
    if (!shown) return;
    var had = shown.contains(document.activeElement), to = back;
    drop();
    if (had) {
      if (to === document.body || !here(to)) to = password();
      if (to) to.focus();
    }
    fire('close');
  }

  on(window, 'message', function (e) {
    var d = e.data;
    if (!frame || e.source !== frame.contentWindow || e.origin !== origin || !d || d.latchkey !== 1) return;
    if (d.type === 'ready') {
      if (d.title) frame.title = d.title; // in the language of the frame
      answered = true;
      left = 0;
    }
    if (d.type === 'size' && d.height > 0) frame.style.height = Math.ceil(d.height) + 'px';
    if (d.type === 'result' || d.type === 'fixed') fire(d.type, d.detail);
    if (d.type === 'close') close();
  });
  // When the frame closes, the focus goes to what had it last.
  on(document, 'focus', function (e) {
    if (shown && e.target.nodeType === 1 && !shown.contains(e.target)) back = e.target;
  });
  on(document, 'click', function (e) {
    var trigger = byId('trigger'), t = e.target;
    while (t && t !== trigger) t = t.parentNode;
    if (t && !(e.button || e.ctrlKey || e.metaKey || e.shiftKey)) { // those open a tab
      e.preventDefault();
      open({ focus: true }, t);
    }
  });

  function start() { if (attr('outcome') && !attr('trigger')) open(); }

  window.Latchkey = { open: open, close: close, born: born };
  if (document.readyState === 'loading') on(document, 'DOMContentLoaded', start);
  else start();
})(window, document);
