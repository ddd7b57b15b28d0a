// How Latchkey looks at a browser, for frame.js and the Go program. ES5 without
// anything to rely on. It starts nothing, shows nothing and judges nothing.
(function (window, document) {
  'use strict';

  var config = JSON.parse(document.getElementById('latchkey-config').textContent);
  var real = {}; // getters of the storage that stand-ins hide

  function each(list, f) { for (var i = 0; i < list.length; i++) f(list[i], i); }

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
      if (config.send && config.send.token) x.setRequestHeader('Latchkey-Case', config.send.token);
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

  var much = new Array(16385).join('x');

  function store(name) {
    try {
      var s = real[name] ? real[name]() : window[name];
      if (!s) return { error: String(s) };
      var key = 'latchkey-' + hex(8);
      var kept;
      try {
        s.setItem(key, much); // a store with less room than that is as good as full
        kept = s.getItem(key) === much;
      } finally { s.removeItem(key); }
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
    var has = [], works = [], digits = 0;
    each(traits, function (place) {
      each(place[1].split(' '), function (name) {
        try { if (name in place[0]) has.push(name); } catch (e) { /* another site's */ }
      });
    });
    for (var id in features) {
      // Whether these are there tells Lockdown Mode, which is nobody's business.
      if (/^(indexed-db|service-worker|web-locks)$/.test(id) && (config.policy.features || []).indexOf(id) < 0) continue;
      try { if (features[id]()) works.push(id); } catch (e) { /* it does not */ }
    }
    try { (1).toFixed(-1); } catch (e) { digits = e.message.length; }
    if (navigator.standalone === true || (window.matchMedia && matchMedia('(display-mode: standalone)').matches)) has.push('standalone');
    return {
      has: has, features: works, insecure: window.isSecureContext === false, to_fixed: digits,
      vendor: navigator.vendor, platform: navigator.platform, touch: navigator.maxTouchPoints,
      screen: Math.min(screen.width, screen.height)
    };
  }

  // ---- The login page around us. What is typed becomes yes or no where it is read.

  var none = { name: 'undefined' }, caps = failure(none); // until an event tells

  function login() {
    if (window.top === window) throw none;
    return window.parent.document;
  }

  // The form is the nearest with a password unless the operator names it.
  function form() {
    var n = window.frameElement, box = config.form && login().querySelector(config.form), secret;
    for (; !box && n; n = n.parentNode) {
      secret = n.querySelector && n.querySelector('input[type=password]');
      box = secret && (secret.form || n);
    }
    return box;
  }
  function fields(f) {
    var box = form();
    if (!box) throw none;
    each(box.querySelectorAll('input, button'), f);
  }

  // The first field for text is the user name. A password may end in a blank.
  function blankEnds() {
    var first;
    fields(function (f) {
      if (first === undefined && /text|email|tel/.test(f.type)) first = /^\s|\s$/.test(f.value);
    });
    return !!first;
  }

  // Whether the browser filled in what the page does not see: to it the field is
  // empty or the button off. Before the first click or key that is Chromium's way.
  function unseen() {
    var filled, missed, active = window.parent.navigator.userActivation;
    fields(function (f) {
      var by;
      try { by = f.matches(':autofill'); } catch (e) { by = f.matches(':-webkit-autofill'); }
      filled = filled || by;
      missed = missed || (by ? !f.value : f.type === 'submit' && f.disabled);
    });
    return !!(filled && missed && (!active || active.hasBeenActive));
  }

  function translated() {
    return !!login().querySelector('.translated-ltr, .translated-rtl, [_msttexthash], font > font');
  }

  // The key's own events tell the old state here and the new one there; autofill's
  // have no such method.
  function hear(e) {
    if (e.key !== 'CapsLock' && e.getModifierState) caps = { value: e.getModifierState('CapsLock') };
  }
  function ears(doc) {
    each(['keydown', 'keyup', 'mousedown', 'mousemove'], function (type) { doc.addEventListener(type, hear, true); });
  }
  try {
    ears(login());
    ears(document);
  } catch (e) { /* another site's, or none */ }

  function around(page, where) {
    var rendered = config.rendered;
    // The server told the age when it served us.
    page.rendered = rendered && rendered.value >= 0 ? { value: rendered.value + now() } : rendered;
    page.max_age = config.max_age;
    if (where === 'top') page.restored = page.violations = failure(none);
    if (where === 'cross-origin') return page;
    page.discarded = fact(function () { return !!login().wasDiscarded; });
    page.blank_ends = fact(blankEnds);
    page.autofill_unseen = fact(unseen);
    page.translated = fact(translated);
    page.altered = fact(window.latchkey.altered);
    return page;
  }

  // ---- What takes a request or an event. Each calls done once.

  var given = null; // the newest cookies that came back, and when they were set
  var KEEP = 30000; // ms; the server keeps them for 60 s

  // Why the server refused a request: for its cookies if it takes one without.
  function refused(status, done) {
    function end(r) { done({ error: r && r.ok ? 'TooLarge' : 'NetworkError' }); }
    if (!/^4(00|13|31|94)$/.test(status) || !window.fetch) return end();
    fetch(config.base + '/clock?n=1', { credentials: 'omit', cache: 'no-store' }).then(end, function () { end(); });
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
    // Cookies there and back over HTTP, each time under other names. They are left
    // for stays.
    cookies: function (done) {
      var run = hex(8), at = now(), wall = Date.now();
      given = null;
      request('GET', '/cookies?run=' + run, null, function (x) {
        if (x.status !== 204) return refused(x.status, done);
        request('GET', '/cookies/echo?keep=1&run=' + run, null, function (x) {
          done(fact(function () {
            var came = JSON.parse(x.responseText);
            given = { run: run, at: at, wall: wall, came: came };
            return came;
          }));
        });
      });
    },
    // The names of those that came back once and do not 5 s after they were set.
    // A tab that slept meanwhile cannot tell, nor one whose clock was set: they have
    // run out, and a clock that stops in sleep does not show it.
    stays: function (done) {
      var g = given, gone = [];
      if (g) setTimeout(function () {
        if (given !== g) return;
        given = null;
        if (Math.max(now() - g.at, Date.now() - g.wall) > KEEP) return;
        request('GET', '/cookies/echo?run=' + g.run, null, function (x) {
          done(fact(function () {
            var came = JSON.parse(x.responseText);
            if (g.came.seen && !came.seen) gone.push('');
            each(g.came.kinds, function (k, i) { if (k.came && !came.kinds[i].came) gone.push(k.name || ''); });
            return gone;
          }));
        });
      }, Math.max(0, 5000 - (now() - g.at)));
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
            t.objectStore('s').put(much, 'k');
            got = t.objectStore('s').get('k');
            t.oncomplete = function () { end({ value: got.result === much }); };
            t.onabort = function () { end(failure(t.error)); };
          } catch (e) { end(failure(e)); }
        };
      } catch (e) { done(failure(e)); }
    },
    // A hand moves within the time that other tabs get.
    caps: function (done) {
      setTimeout(function () { done(caps); }, caps.error ? 250 : 0);
    },
    // The other tabs of the login page, and how many of them are newer.
    tabs: function (done) {
      try {
        var mine = (login(), window.parent.Latchkey.born), seen = {}, channel = new BroadcastChannel('latchkey');
        channel.onmessage = function (e) { if (e.data > 0) seen[e.data] = +(e.data > mine); };
        channel.postMessage(0);
        setTimeout(function () {
          var n = { others: mine in seen ? -1 : 0, newer: 0 };
          channel.close();
          for (var born in seen) {
            n.others++;
            n.newer += seen[born];
          }
          done({ value: n });
        }, 500); // a tab in the background may be busy with loading
      } catch (e) { done(failure(e)); }
    },
    opfs: function (done) {
      var name = 'latchkey-' + hex(8), root;
      function fail(e) { done(failure(e)); }
      if (!config.opfs) return done({ error: 'undefined' });
      if (!navigator.storage || !navigator.storage.getDirectory) return done({ error: 'NotSupportedError' });
      navigator.storage.getDirectory().then(function (d) {
        root = d;
        return d.getFileHandle(name, { create: true });
      }).then(function (f) {
        return f.createWritable && f.createWritable().then(function (w) {
          return w.write(much).then(function () { return w.close(); });
        });
      }).then(function () { return root.removeEntry(name); }).then(function () { done({ value: true }); }, fail);
    },
    // The site's version as a page gets it, and past all caches.
    build: function (done) {
      var url = config.version, worker = navigator.serviceWorker;
      function get(url, cache) {
        return fetch(url, { cache: cache }).then(function (r) {
          if (!r.ok) throw { name: 'NetworkError', message: String(r.status) };
          return r.text();
        });
      }
      function both() { return Promise.all([get(url, 'default'), get(url + (/\?/.test(url) ? '&' : '?') + hex(8), 'no-store')]); }
      function end(same) { done({ value: { same: same, worker: !!(worker && worker.controller) } }); }
      function fail(e) { done(failure(e)); }
      if (!url || !window.fetch || url.indexOf(location.protocol + '//' + location.host + '/')) return done({ error: 'undefined' });
      both().then(function (one) {
        if (one[0] === one[1]) return end(true);
        // What changes with each request, or between servers, tells no build.
        return both().then(function (two) {
          if (one[0] !== two[0] || one[1] !== two[1]) throw { name: 'Unstable', message: 'another answer each time' };
          end(false);
        });
      }).then(null, fail);
    },
    cache: function (done) {
      try {
        var name = 'latchkey-' + hex(8), kept;
        if (!window.caches) return done({ error: String(window.caches) });
        caches.open(name).then(function (c) {
          return c.put('/' + name, new Response(much)).then(function () { return c.match('/' + name); });
        }).then(function (r) { kept = !!r; return caches['delete'](name); })
          .then(function () { done({ value: kept }); }, function (e) {
            caches['delete'](name).then(null, function () {}); // a full one is there all the same
            done(failure(e));
          });
      } catch (e) { done(failure(e)); }
    }
  };

  // Has the server take the login's cookies away, some names with each answer, and
  // calls back with the names of those that are still there after the last.
  function clear(done, after) {
    request('POST', '/clear?after=' + encodeURIComponent(after), '{}', function (x) {
      var f = fact(function () { return JSON.parse(x.responseText); });
      if (f.value && f.value.next) return clear(done, f.value.next);
      done(part(f, 'came'));
    });
  }
  // Clears what the operator lists in storage.
  function clearKeys() {
    each(['localStorage', 'sessionStorage'], function (name) {
      try {
        var s = real[name] ? real[name]() : window[name], all = [];
        for (var i = 0; i < s.length; i++) all.push(s.key(i));
        each(all, function (key) {
          each(config.keys || [], function (pattern) {
            var parts = pattern.split('*');
            for (var i = 0; i < parts.length; i++) parts[i] = parts[i].replace(/[^\w]/g, '\\$&');
            if (new RegExp('^' + parts.join('.*') + '$').test(key)) s.removeItem(key);
          });
        });
      } catch (e) { /* blocked: nothing is there */ }
    });
  }

  // One of the facts that a look tells together.
  function part(f, name) { return f && f.value ? { value: f.value[name] } : f; }

  window.latchkey = {
    config: config, real: real, each: each, fact: fact, failure: failure, hex: hex, now: now, request: request, login: login, form: form, looks: looks,
    // What embed.js recorded of the page, once it has told.
    page: null,
    clear: function (done) { clearKeys(); clear(done, ''); },
    forget: function () { given = null; },
    // Names the cookies that should come with a question to the server.
    run: function () { return given ? given.run : ''; },
    // All that is known so far, in the shape of package evidence. recorded is
    // what embed.js knows, slow what the looks have said.
    look: function (recorded, slow) {
      var where = embedding();
      var seen = {
        host: config.host, origin: config.origin, page: around(recorded.page || {}, where),
        run: { embedding: { value: where }, at: { value: { utc: config.at + now(), zone: -new Date().getTimezoneOffset() } }, seconds: window.latchkey.seconds },
        identity: { request: config.identity.request, 'package': config.identity['package'], script: slow.claim, traits: fact(behaviour) },
        script: { runs: { value: true }, files: { value: true }, popups: config.popups ? slow.popups : failure(none) },
        cookies: recorded.cookies, storage: recorded.storage,
        third_party: (slow.third || {}).value
      };
      // What a frame of another site may keep says nothing about the login page.
      if (where !== 'cross-origin') {
        seen.cookies = {
          enabled: fact(function () { return navigator.cookieEnabled; }), script: fact(cookie),
          http: part(slow.cookies, 'seen'), kinds: part(slow.cookies, 'kinds'), jar: part(slow.cookies, 'jar'), gone: slow.gone, left: slow.left
        };
        seen.storage = { local: store('localStorage'), session: store('sessionStorage'), indexed_db: slow.indexedDB, cache: slow.cache, opfs: slow.opfs, build: slow.build };
        seen.page.caps_lock = slow.caps;
        seen.page.tabs = slow.tabs;
      }
      var heavy = slow.cookies && slow.cookies.error === 'TooLarge' ? { value: true } : config.too_large;
      if (heavy) (seen.cookies = seen.cookies || {}).too_large = heavy;
      var clock = config.clock || {};
      seen.clock = { exchanges: slow.clock, tolerances: clock.tolerances, server: clock.server, phone: slow.phone };
      seen.network = { online: { value: navigator.onLine }, speed: fact(window.latchkey.speed), echoes: slow.echoes, sample: slow.sample };
      each(['needs', 'blocker', 'local', 'hello', 'proxies', 'moves'], function (name) {
        var f = slow.network;
        seen.network[name] = f && f.value ? f.value[name] : f;
      });
      return seen;
    }
  };
})(window, document);
