// How Latchkey looks at a browser, for frame.js and the Go program. ES5 without
// anything to rely on. It starts nothing, shows nothing and judges nothing.
(function (window, document) {
  'use strict';

  var config = JSON.parse(document.getElementById('latchkey-config').textContent);
  var real = {}; // getters of the storage that stand-ins hide

  function each(list, f) { for (var i = 0; i < list.length; i++) f(list[i]); }

  function hex(bytes) {
    var s = '';
    while (s.length < 2 * bytes) s += Math.floor((1 + Math.random()) * 65536).toString(16).slice(1);
    return s;
  }

  // An exception as a fact: Go's table of states reads the name.
  function failure(e) {
    return { error: ((e && e.name) || 'Error') + ': ' + String((e && e.message) || e).slice(0, 120) };
  }
  function fact(look) {
    try { return { value: look() }; } catch (e) { return failure(e); }
  }

  function now() { return window.performance && performance.now ? performance.now() : Date.now(); }

  function request(method, url, body, done) {
    var x = new XMLHttpRequest();
    x.onreadystatechange = function () { if (x.readyState === 4) done(x); };
    x.open(method, config.base + url, true);
    x.timeout = 8000; // what embed.js gives the whole frame
    if (body) {
      x.setRequestHeader('Content-Type', 'application/json');
      x.setRequestHeader('Accept', 'text/html');
    }
    x.send(body);
  }

  // ---- What the browser answers at once

  function embedding() {
    if (window.top === window) return 'top';
    try { return window.parent.document ? 'same-origin' : 'cross-origin'; } catch (e) { return 'cross-origin'; }
  }

  function cookie() {
    var name = 'latchkey-js-' + hex(8);
    document.cookie = name + '=1; Path=/; SameSite=Lax; Max-Age=60';
    var kept = document.cookie.indexOf(name + '=1') >= 0;
    document.cookie = name + '=; Path=/; SameSite=Lax; Max-Age=0';
    return kept;
  }

  function store(name) {
    try {
      var s = real[name] ? real[name]() : window[name];
      if (!s) return { error: String(s) };
      var key = 'latchkey-' + hex(8);
      s.setItem(key, '1');
      var kept = s.getItem(key) === '1';
      s.removeItem(key);
      return { value: kept };
    } catch (e) { return failure(e); }
  }

  // ---- Who the browser is, whatever it says of itself

  // Where to look for which names. Package agent says what each one means.
  var traits = [
    [navigator, 'webkitPersistentStorage webkitTemporaryStorage buildID oscpu brave'],
    [window, 'webkitResolveLocalFileSystemURL BatteryManager webkitMediaStream ' +
      'mozInnerScreenX onmozfullscreenchange CSSMozDocumentRule CanvasCaptureMediaStream ' +
      'CSSPrimitiveValue Counter RGBColor WebKitPoint ApplePayError WebKitMediaKeys ' +
      'orientation TelegramWebview TelegramWebviewProxy TelegramWebviewProxyProto']
  ];
  try {
    // What an app puts into its view may stand in the page around us alone.
    if (window.parent !== window) traits.push([window.parent, 'TelegramWebview TelegramWebviewProxy TelegramWebviewProxyProto']);
  } catch (e) { /* another site's */ }

  function css() { return CSS.supports.apply(CSS, arguments); }

  // Features that a sign-in may need, each tried as far as that goes without
  // doing anything.
  var features = {
    webauthn: function () { return window.PublicKeyCredential; },
    'crypto-subtle': function () { return crypto.subtle; },
    modules: function () { return 'noModule' in document.createElement('script'); },
    fetch: function () { return window.fetch; },
    promise: function () { return window.Promise; },
    'custom-elements': function () { return window.customElements; },
    'shadow-dom': function () { return Element.prototype.attachShadow; },
    dialog: function () { return window.HTMLDialogElement; },
    popover: function () { return 'popover' in HTMLElement.prototype; },
    'broadcast-channel': function () { return window.BroadcastChannel; },
    'web-locks': function () { return navigator.locks; },
    'service-worker': function () { return navigator.serviceWorker; },
    'web-sockets': function () { return window.WebSocket; },
    'indexed-db': function () { return window.indexedDB; },
    clipboard: function () { return navigator.clipboard; },
    'credential-management': function () { return navigator.credentials; },
    'css-grid': function () { return css('display', 'grid'); },
    'has-selector': function () { return css('selector(:has(a))'); },
    'container-queries': function () { return css('container-type', 'inline-size'); },
    'structured-clone': function () { return window.structuredClone; },
    es2020: function () { return Promise.allSettled && ''.matchAll && window.globalThis && window.BigInt; },
    es2022: function () { return [].at && Object.hasOwn; },
    es2024: function () { return Promise.withResolvers; },
    es2025: function () { return Promise['try'] && Set.prototype.union; }
  };

  function behaviour() {
    var has = [], works = [], digits = 0, zone;
    each(traits, function (place) {
      each(place[1].split(' '), function (name) {
        try { if (name in place[0]) has.push(name); } catch (e) { /* another site's */ }
      });
    });
    for (var id in features) {
      try { if (features[id]()) works.push(id); } catch (e) { /* it does not */ }
    }
    try { (1).toFixed(-1); } catch (e) { digits = e.message.length; }
    if (navigator.standalone === true || (window.matchMedia && matchMedia('(display-mode: standalone)').matches)) has.push('standalone');
    // Firefox's resistance to fingerprinting puts everybody there, or at UTC.
    try { zone = Intl.DateTimeFormat().resolvedOptions().timeZone; } catch (e) { /* none */ }
    if (/^(UTC|Atlantic\/Reykjavik)$/.test(zone)) has.push('no-zone');
    return {
      has: has, features: works, insecure: window.isSecureContext === false, to_fixed: digits,
      vendor: navigator.vendor, platform: navigator.platform, touch: navigator.maxTouchPoints,
      screen: Math.min(screen.width, screen.height)
    };
  }

  // ---- What takes a request or an event. Each calls done once.

  // Has the server set a cookie, each time under another name since its way back
  // may clear it, and calls back with the name, or '' if no answer set it.
  function give(done) {
    var name = hex(8);
    request('GET', '/cookies?run=' + name, null, function (x) { done(x.status === 204 ? name : ''); });
  }

  var looks = {
    // A page of the site that people sign in over tells which cookies it has in
    // a frame here. Its silence says nothing of them.
    third: function (done) {
      var base = config.third, where = embedding(), run = hex(8), note = 'timeout', frame = document.createElement('iframe');
      function end(state, note) { done({ value: { frame: { state: state, note: note } } }); }
      function events(act) { each(['message', 'securitypolicyviolation'], function (name) { window[act + 'EventListener'](name, hear); }); }
      function hear(e) {
        var told = e && e.data && e.data.run === run && e.source === frame.contentWindow && !(base + '/').indexOf(e.origin + '/');
        var policy = e && /^frame-src/.test(e.violatedDirective);
        if (e && !told && !policy) return;
        clearTimeout(timer);
        events('remove');
        document.documentElement.removeChild(frame);
        if (told) done({ value: e.data.seen }); else if (policy) end('refused', 'policy'); else end('late', note);
      }
      if (!base) return end('absent', 'undefined');
      if (where === 'cross-origin') return done({ value: {} });
      if (window.isSecureContext === false) return end('refused', 'insecure');
      var timer = setTimeout(function () { hear(); }, 4000);
      events('add');
      frame.onload = function () { note = 'silent'; };
      frame.hidden = true;
      frame.src = base + '/third?run=' + run + '&for=' + location.protocol + '//' + location.host +
        // When that site has set a cookie as a page of its own.
        (where === 'top' ? window : window.parent).location.search.replace(/.*[?&]latchkey-(marked=\d+).*|.*/, '&$1');
      document.documentElement.appendChild(frame);
    },
    // What navigator says, in the words of the headers. Of what the browser
    // tells only when asked, no more than these two.
    claim: function (done) {
      var data = navigator.userAgentData, hints = {};
      function brands(list) {
        var all = [];
        each(list || [], function (b) { all.push(JSON.stringify(b.brand) + ';v=' + JSON.stringify(b.version)); });
        return all.join(', ');
      }
      function end() { done({ value: { agent: navigator.userAgent, hints: hints } }); }
      // Where the user agent is overridden, all of them may be there and empty.
      if (!data || !data.brands || !data.brands.length) return end();
      hints['sec-ch-ua'] = brands(data.brands);
      hints['sec-ch-ua-mobile'] = data.mobile ? '?1' : '?0';
      hints['sec-ch-ua-platform'] = JSON.stringify(data.platform);
      try {
        data.getHighEntropyValues(['fullVersionList', 'platformVersion']).then(function (v) {
          hints['sec-ch-ua-full-version-list'] = brands(v.fullVersionList);
          hints['sec-ch-ua-platform-version'] = JSON.stringify(v.platformVersion || '');
        }).then(end, end);
      } catch (e) { end(); }
    },
    // One time exchange; the true offset (device less server) is between lo and
    // hi whatever the asymmetry of the way. 20 ms cover the coarsest timers.
    clock: function (done) {
      var nonce = hex(8), wall = Date.now(), start = now();
      request('GET', '/clock?n=' + nonce, null, function (x) {
        var elapsed = now() - start, step = Date.now() - wall - elapsed;
        done(fact(function () {
          var t = JSON.parse(x.responseText);
          if (t.nonce !== nonce) throw { name: 'Replayed', message: 'another answer' };
          if (Math.abs(step) > 60) throw { name: 'Stepped', message: 'the clock was set meanwhile' };
          return { lo: wall - t.received - 20, hi: wall + elapsed - t.sent + 20 };
        }));
      });
    },
    // A cookie there and back over HTTP.
    cookie: function (done) {
      give(function (name) {
        if (!name) return done({ error: 'NetworkError' });
        request('GET', '/cookies/echo?run=' + name, null, function (x) {
          done(fact(function () { return JSON.parse(x.responseText).seen; }));
        });
      });
    },
    indexedDB: function (done) {
      try {
        var name = 'latchkey-' + hex(8), db = window.indexedDB;
        if (!db) return done({ error: String(db) });
        var open = db.open(name, 1);
        open.onupgradeneeded = function () { open.result.createObjectStore('s'); };
        open.onerror = function (e) { e.preventDefault(); done(failure(open.error)); };
        open.onsuccess = function () {
          var r = open.result;
          function end(f) { r.close(); db.deleteDatabase(name); done(f); }
          try {
            var t = r.transaction('s', 'readwrite'), got;
            t.objectStore('s').put('1', 'k');
            got = t.objectStore('s').get('k');
            t.oncomplete = function () { end({ value: got.result === '1' }); };
            t.onabort = function () { end(failure(t.error)); };
          } catch (e) { end(failure(e)); }
        };
      } catch (e) { done(failure(e)); }
    },
    cache: function (done) {
      try {
        var name = 'latchkey-' + hex(8), kept;
        if (!window.caches) return done({ error: String(window.caches) });
        caches.open(name).then(function (c) {
          return c.put('/' + name, new Response('1')).then(function () { return c.match('/' + name); });
        }).then(function (r) { kept = !!r; return caches['delete'](name); })
          .then(function () { done({ value: kept }); }, function (e) { done(failure(e)); });
      } catch (e) { done(failure(e)); }
    }
  };

  window.latchkey = {
    config: config, real: real, each: each, failure: failure, now: now, request: request, give: give, looks: looks,
    // All that is known so far, in the shape of package evidence. recorded is
    // what embed.js knows, slow what the looks have said.
    look: function (recorded, slow) {
      var where = embedding();
      var seen = {
        host: config.host, page: recorded.page,
        run: { embedding: { value: where } },
        identity: { request: config.identity.request, 'package': config.identity['package'], script: slow.claim, traits: fact(behaviour) },
        script: { runs: { value: true } },
        cookies: recorded.cookies, storage: recorded.storage,
        third_party: (slow.third || {}).value
      };
      // What a frame of another site may keep says nothing about the login page.
      if (where !== 'cross-origin') {
        seen.cookies = { enabled: fact(function () { return navigator.cookieEnabled; }), script: fact(cookie) };
        seen.storage = { local: store('localStorage'), session: store('sessionStorage'), indexed_db: slow.indexedDB, cache: slow.cache };
      }
      if (slow.clock) seen.clock = { offset: slow.clock };
      return seen;
    }
  };
})(window, document);
