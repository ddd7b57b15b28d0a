// How Latchkey looks at the way to the servers and at what the login needs from
// elsewhere, for frame.js and the Go program. ES5 without anything to rely on.
(function (window, document) {
  'use strict';

  var latchkey = window.latchkey; // of looks.js
  if (!latchkey.looks) return; // an element has that id
  var config = latchkey.config, each = latchkey.each, request = latchkey.request, now = latchkey.now, time = window.latchkeyClock;
  var fact = latchkey.fact, hex = latchkey.hex, login = latchkey.login, looks = latchkey.looks;

  var ECHOES = 8;
  var SERIES = 5000; // ms after which no further echo is sent
  var ENOUGH = 2000; // ms that the clock may take
  var STEP = 1000; // ms from which on a jump of the clock is no slip between two readings
  var VAIN = 3000; // ms after which a question counts as asked in vain
  var ABROAD = 4 + (config.version ? 0 : 2) + (config.third ? 0 : 2); // requests to others that keep a run at 24 at most

  // ---- Exchanges with our own server

  var series = null; // that is under way: who hears of its exchanges
  // Joins the series that is under way, or begins one.
  function join(ear) {
    if (series) {
      each(series.heard, ear.each);
      return series.ears.push(ear);
    }
    var mine = series = { ears: [ear], heard: [] };
    function tell(name, e) { each(mine.ears, function (ear) { if (ear[name]) ear[name](e); }); }
    time.series(config.base, ECHOES, SERIES, function (e) {
      mine.heard.push(e);
      tell('each', e);
    }, function () {
      series = null;
      tell('end');
    });
  }

  // We never send anybody elsewhere, so who is sent was answered by somebody else.
  function redirected(done) {
    ask('own', config.base + '/clock?n=1', function (r) { done(r.type === 'opaqueredirect'); }, 800);
  }

  var ticks = null; // how coarse the clocks are
  var newest = null; // the exchanges that a look went by
  var lead = null; // of the wall clock, as a look or onStep knows it
  var dated = null; // what the Date header of our page said

  // The clock as the exchanges tell it that came until their bounds were narrow
  // enough, or else in 2 s.
  looks.clock = function (done) {
    var old = newest ? [newest.last] : [], list = [], why = 'timeout', timer = setTimeout(end, ENOUGH);
    function end() {
      if (!done) return;
      var d = done;
      done = null;
      clearTimeout(timer);
      if (list.length) return d(clock(list));
      // No exchange came through. Its second is all that our page tells.
      latchkey.take('sample', function () { d(dated ? clock([dated]) : { error: why }); });
    }
    // The last of the look before tells whether the clock was set since then.
    function clock(all) {
      ticks = ticks || time.ticks();
      newest = { all: all, last: all[all.length - 1] };
      lead = newest.last.after.wall - newest.last.after.mono;
      return { value: { list: old.concat(all), walls: ticks.walls, turns: ticks.turns, monos: ticks.monos } };
    }
    join({
      each: function (e) {
        if (e.sample) list.push(e.sample); else why = e.error;
        if (time.enough(list, ((config.clock || {}).tolerances || {}).value)) end();
      },
      end: end
    });
  };

  // The newest look's bounds in whole seconds, for the server to hold against
  // those of others: if all are as far off, it is its own clock.
  function seconds() {
    var b = newest && time.bounds(newest.all);
    return b ? '&clock=' + Math.floor(b.lo / 1000) + ',' + Math.ceil(b.hi / 1000) : '';
  }

  // Asks act to act when the clock was set after a look, or the device slept, until
  // it returns true.
  latchkey.onStep = function (act) {
    setInterval(function () {
      var r = time.reading(), ahead = r.wall - r.mono;
      if (lead !== null && !series && Math.abs(ahead - lead) >= STEP && act()) lead = ahead;
    }, 1000);
  };

  looks.echoes = function (done) {
    var n = { sent: 1, failed: 0, foreign: 0, stalled: 0, least: 0, jitter: 0 }, times = [], sent = now(), busy = latchkey.loading;
    var timer = setTimeout(function () {
      if (now() - sent >= VAIN) n.failed++; else n.sent--;
      end(true);
    }, SERIES + 1000);
    function end(silent) {
      clearTimeout(timer);
      if (!done) return;
      var d = done;
      done = null;
      if (!silent) n.sent--;
      times.sort(function (a, b) { return a - b; });
      each(times, function (t) { if (t - n.least >= 200) n.stalled++; });
      n.jitter = times.length ? times[times.length >> 1] - n.least : 0;
      // Who is sent elsewhere is told so at once.
      if (!n.failed || silent) return d({ value: n });
      redirected(function (yes) {
        if (yes) {
          n.foreign += n.failed;
          n.failed = 0;
        }
        d({ value: n });
      });
    }
    join({
      each: function (e) {
        if (!done) return;
        if (e.mine) {
          n.least = Math.min(n.least || e.way, e.way);
          if (!busy) times.push(e.way); // else our own download held it up
        } else if (/^NetworkError/.test(e.error)) n.failed++; else n.foreign++;
        n.sent++; // the next, unless this was the last
        sent = now();
        busy = latchkey.loading;
      },
      end: function () { end(); }
    });
  };

  // A page of which we know every byte, under the type that those who change pages
  // look for.
  looks.sample = function (done) {
    // No cache can have seen that address before.
    var before = time.reading();
    dated = null;
    request('GET', '/sample?n=' + hex(8), null, function (x) {
      var after = time.reading();
      done(fact(function () {
        var line = '<p>What you read here should arrive as it was sent.</p>\n', body = '';
        if (!x.status || x.status >= 500) throw { name: 'NetworkError', message: String(x.status) };
        while (body.length < 20 * line.length) body += line;
        var date = Date.parse(x.getResponseHeader('Date'));
        var same = x.responseText === '<!doctype html>\n<html lang="en">\n<head><title>Latchkey</title></head>\n<body>\n' + body + '</body>\n</html>\n';
        dated = same && date ? { before: before, after: after, received: date, sent: date, rounded: 1000 } : null;
        return {
          same: same,
          type: (x.getResponseHeader('Content-Type') || '').split(';')[0],
          unpacked: !x.getResponseHeader('Content-Encoding')
        };
      }));
    });
  };

  // How fast our largest file came, in kbit/s.
  latchkey.speed = function () {
    var best = null;
    each(performance.getEntriesByType('resource'), function (e) {
      if (!e.name.indexOf(location.protocol + '//' + location.host + config.base) && e.transferSize > (best ? best.transferSize : 3e4) && e.responseEnd > e.responseStart) best = e;
    });
    if (!best) throw { name: 'undefined' };
    return Math.round(best.encodedBodySize * 8 / (best.responseEnd - best.responseStart));
  };

  // ---- What the login needs

  function bare(url) { return String(url).split(/[?#]/)[0].slice(0, 300); }

  // Whether an address is the one that is needed, or of the host that is.
  function is(n, url) {
    if (n.kind === 'host') return !(url + '/').indexOf(n.url.split('/').slice(0, 3).join('/') + '/');
    return url === bare(n.url);
  }

  // How the login page's own request ended, as far as it can be told. It returns
  // whether the page has a script of which nothing else is known.
  function inPage(n, out) {
    var page = latchkey.page || {}, tag = false;
    each((page.failed || {}).value || [], function (url) { if (is(n, url)) out.page = 'no'; });
    each((page.violations || {}).value || [], function (v) {
      var i = v.indexOf(' ');
      if (!is(n, v.slice(i + 1))) return;
      out.page = 'no';
      out.policy = v.slice(0, i);
    });
    try {
      var w = (login(), window.parent), o = w;
      if (n.kind === 'script') {
        each(w.performance.getEntriesByType('resource'), function (e) {
          if (!is(n, bare(e.name))) return;
          if (e.responseStatus >= 400) {
            out.page = 'no';
            out.status = e.responseStatus;
          }
          out.page = out.page || 'yes';
        });
        // What an extension gives instead leaves no entry (Chromium 156), but neither
        // does what is still on its way, as a script put in late may be.
        if (w.document.readyState === 'complete' && !out.page) each(w.document.scripts, function (s) { tag = tag || is(n, bare(s.src)); });
      }
      if (n.proof) {
        each(n.proof.split('.'), function (name) { o = o === undefined || o === null ? undefined : o[name]; });
        out.ran = o === undefined ? 'no' : 'yes';
      }
    } catch (e) { /* another site's, or none */ }
    return tag;
  }

  function failed(out) {
    return out.page === 'no' || out.page === 'yes' && out.ran === 'no' || !out.page && (out.again === 'no' || out.again === 'late');
  }

  // Nothing of the answer is read, and nothing of the person is sent.
  function head(url, done) {
    fetch(url, { method: 'HEAD', mode: 'no-cors', credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store' })
      .then(function () { done('yes'); }, function () { done('no'); });
  }
  var ways = {
    // Loads it without running it, under the same kind of request as the page's.
    script: function (url, done) {
      var link = document.createElement('link');
      if (!link.relList || !link.relList.supports || !link.relList.supports('preload')) return done('');
      link.rel = 'preload';
      link.as = 'script';
      link.referrerPolicy = 'no-referrer';
      // Firefox 153 says so of what an extension stops, too, and that it took no
      // time; against fingerprinting it says that of others as well.
      link.onload = function () {
        var e = window.mozInnerScreenX !== undefined && performance.getEntriesByName(link.href)[0];
        done(!e || e.duration ? 'yes' : e.startTime % 1 ? '' : 'no');
      };
      link.onerror = function () { done('no'); };
      link.href = url + (/\?/.test(url) ? '&' : '?') + 'latchkey=' + hex(4); // past the cache
      document.head.appendChild(link);
      return function () { document.head.removeChild(link); };
    },
    host: head,
    socket: function (url, done) {
      var s = new WebSocket(url);
      s.onopen = function () { done('yes'); };
      s.onerror = s.onclose = function () { done('no'); };
      return function () { s.onclose = null; s.close(); };
    },
    // Its first word has to come soon; who gathers answers first holds it back.
    stream: function (url, done) {
      var s = new EventSource(url);
      s.onopen = s.onmessage = function () { done('yes'); };
      s.onerror = function () { done('no'); };
      return function () { s.close(); };
    },
    // Our own server, whose answer is read.
    own: function (url, done) {
      fetch(url, { redirect: 'manual', cache: 'no-store' }).then(done, function () { done('no'); });
    }
  };

  // Asks in one of the ways and calls back once, at the latest in vain.
  function ask(way, url, done, patience) {
    var stop, timer = setTimeout(function () { end('late'); }, patience || VAIN);
    function end(answer) {
      clearTimeout(timer);
      if (!done) return;
      var d = done;
      done = null;
      if (stop) stop();
      d(answer);
    }
    try { stop = ways[way](url, end); } catch (e) { end(window.fetch ? 'no' : ''); }
    if (!done && stop) stop();
  }

  // Calls each of the jobs with a function to call at the end, and done after all.
  function all(jobs, done) {
    var waiting = jobs.length;
    function one() { if (!--waiting) done(); }
    if (!waiting) return done();
    each(jobs, function (job) { job(one); });
  }

  // What lists of content blockers name, and the same with another name. It is
  // laid only where something failed.
  function bait(done) {
    var seen = {}, box = document.createElement('div'), begun = now();
    function get(name, then) { request('GET', '/bait/' + name + '.js', null, function (x) { then(x.status === 200 && x.responseText === '// ' + name + '\n'); }); }
    box.className = 'ad-slot ad-box ad_banner';
    box.style.cssText = 'position:absolute;left:-999px;width:300px;height:50px';
    box.textContent = '\u00a0';
    document.body.appendChild(box);
    get('events', function (came) {
      seen.control = came;
      get('fbevents', function (came) {
        seen.request = came;
        setTimeout(function () {
          seen.element = box.offsetHeight > 0;
          document.body.removeChild(box);
          done({ value: seen });
        }, Math.max(0, 400 - (now() - begun))); // blockers hide elements later
      });
    });
  }

  // What the browser says without being shown the question. The name changed in
  // Chrome 145. A frame of another site is refused whatever the person said.
  function local(done) {
    function none() { done({ error: 'NotSupportedError' }); }
    function query(name) { return navigator.permissions.query({ name: name }).then(function (p) { done({ value: p.state }); }); }
    try {
      if (!window.parent.document) return none();
      query('local-network-access').then(null, function () { return query('local-network'); }).then(null, none);
    } catch (e) { none(); }
  }

  // A login page tells what it recorded in its first word.
  function told(done) {
    var left = 10;
    (function wait() {
      if (window.top === window || latchkey.page || !left--) return done();
      setTimeout(wait, 100);
    })();
  }

  looks.network = function (done) {
    var list = [], tags = [], out = {}, abroad = 0;
    function begin() {
      each(config.needs || [], function (n) {
        var o = { kind: n.kind, url: bare(n.url), host: n.host, port: n.port, purpose: n.purpose, own: n.own, 'private': n['private'] };
        tags.push(inPage(n, o));
        list.push(o);
      });
      var page = latchkey.page || {};
      each((page.violations || {}).value || [], function (v) {
        var i = v.indexOf(' ');
        if (/^(script|connect|frame|child|worker|default)-src/.test(v)) unlisted(v.slice(i + 1), v.slice(0, i));
      });
      each((page.failed || {}).value || [], function (url) { unlisted(url); });
      all(jobs(function (n, o) { return !o.page && o.ran !== 'yes' || o.page === 'no' && !o.policy; }, function (n, o, end) {
        ask(n.kind, n.url, function (answer) {
          o.again = answer;
          if (answer === 'yes' && o.ran === 'no' && tags[list.indexOf(o)]) o.page = 'yes';
          end();
        });
      }), controls);
    }
    // What failed in the page besides, but for what it is only made pretty with.
    function unlisted(url, policy) {
      var at = /^https?:\/\/([^\/:]+)[^\/]*/.exec(url), known = !at || /\.(css|png|jpg|gif|svg|ico|webp|woff2?)$/.test(url);
      each(list, function (o, i) { known = known || (o.unlisted ? o.host === at[1] : is(config.needs[i], url)); });
      if (known || list.length >= (config.needs || []).length + 4) return;
      var own = at[1] === location.hostname;
      list.push({ kind: 'script', url: at[0] + '/', host: at[1], unlisted: true, own: own, page: 'no', policy: policy, there: own ? 'yes' : '' });
    }
    // Those needs that may be asked for, in whatever way.
    function jobs(which, job) {
      var some = [];
      each(config.needs || [], function (n, i) {
        if (!n.again || n['private'] || !which(n, list[i]) || abroad >= ABROAD) return;
        abroad++;
        some.push(function (end) { job(n, list[i], end); });
      });
      return some;
    }
    function controls() {
      var some = jobs(function (n, o) { return failed(o) && n.kind !== 'host'; }, function (n, o, end) {
        ask('host', n.url.replace(/^ws/, 'http').split('/').slice(0, 3).join('/') + '/', function (answer) { o.there = answer; end(); });
      });
      var bad = [];
      each(list, function (o, i) { if (failed(o)) bad.push(i); });
      if (bad.length) some.push(function (end) { bait(function (f) { out.blocker = f; end(); }); });
      some.push(function (end) {
        request('GET', '/reach?needs=' + bad + '&address=' + encodeURIComponent(config.from || '') + seconds(), null, function (x) {
          var f = fact(function () {
            var seen = JSON.parse(x.responseText);
            each(bad, function (i) { list[i].server = (seen.needs || {})[i]; });
            return seen;
          }), seen = f.value || { hello: f, proxies: f, moves: f };
          out.hello = seen.hello;
          out.proxies = seen.proxies;
          out.moves = seen.moves;
          end();
        });
      });
      var asks = false;
      each(list, function (o) { asks = asks || o['private']; });
      if (asks) some.push(function (end) { local(function (f) { out.local = f; end(); }); });
      else out.local = { error: 'undefined' };
      function end() {
        if (out.needs) return;
        out.needs = { value: list };
        done({ value: out });
      }
      out.hello = out.proxies = out.moves = { error: 'timeout' };
      setTimeout(end, VAIN + 200); // our own server may be silent
      all(some, end);
    }
    told(begin);
  };

  // ---- What somebody changed in the login page

  // The functions that a sign-in goes through, as the configuration names them.
  var natives = ['fetch', 'XMLHttpRequest.open', 'XMLHttpRequest.send', 'Document.cookie', 'Storage.setItem', 'Date.now', 'HTMLFormElement.submit', 'CredentialsContainer.get'];

  // Counts those that are wrapped, by the text that a frame which nobody has
  // touched makes of them. One in a Proxy has lost its name there.
  function wrapped(w) {
    var frame = document.createElement('iframe'), n = 0;
    frame.hidden = true;
    document.documentElement.appendChild(frame);
    try {
      var text = frame.contentWindow.Function.prototype.toString;
      each(natives, function (path) {
        if (config.patches.indexOf(path) >= 0) return;
        var parts = path.split('.'), name = parts.pop(), o = parts.length ? w[parts[0]] : w, f;
        if (o && parts.length && parts[0] !== 'Date') o = o.prototype;
        f = o && Object.getOwnPropertyDescriptor(o, name);
        f = f && (f.get || f.value);
        if (f && !new RegExp('^function (get )?' + name + '\\(\\)\\s*\\{\\s*\\[native code\\]\\s*\\}$').test(text.call(f))) n++;
      });
    } finally { document.documentElement.removeChild(frame); }
    return n;
  }

  latchkey.altered = function () {
    var doc = login(), seen = { fields: 0, natives: 0, foreign: 0 }, form = latchkey.form();
    seen.action = !!(config.action && form && form.getAttribute && form.getAttribute('action') !== config.action);
    each(config.fields || [], function (name) { if (form && !form.querySelector('[name="' + name + '"]')) seen.fields++; });
    if (config.patches) seen.natives = wrapped(window.parent);
    each(doc.documentElement.children, function (n) { if (!/^(HEAD|BODY)$/.test(n.nodeName)) seen.foreign++; });
    return seen;
  };

  // Whether a window opens, to be asked in a click.
  latchkey.popup = function (done) {
    var w = null;
    try { w = window.open('about:blank', '', 'width=240,height=160'); } catch (e) { /* then none */ }
    if (!w) return done({ value: false });
    setTimeout(function () {
      var open = !w.closed && w.innerHeight !== 0;
      try { w.close(); } catch (e) { /* it has gone elsewhere */ }
      done({ value: open });
    }, 200);
  };
})(window, document);
