// Two parts of the widget that another device or window is joined in, loaded when
// one is opened: the check of the clock of the phone that makes codes, and a second
// look to compare with. Their QR codes get the code of a pairing, and what is
// brought under it is fetched. It is done again after each new view. ES5 without
// anything to rely on.
(function (window, document) {
  'use strict';

  var TICK = 1000; // ms
  var EVERY = 3000; // ms between two questions whether something was brought

  var latchkey = window.latchkey, clock = window.latchkeyClock, now = latchkey.now;
  var server = ((latchkey.config.clock || {}).server || {}).value || { lo: 0, hi: 0 }; // ms that the server's own is ahead, as far as is known
  var ahead = null; // ms that this device's clock is ahead
  var height = 0; // of the page when it was last told

  function byId(id) { return document.getElementById(id); }

  // Writes into the text that is there: go-app keeps it.
  function write(id, text) {
    var n = byId(id);
    if (n && n.textContent !== text) { if (n.firstChild) n.firstChild.nodeValue = text; else n.textContent = text; }
  }

  function size() {
    if (height === document.body.offsetHeight) return;
    height = document.body.offsetHeight;
    latchkey.size();
  }

  // A part by its name, the kind of what is brought to it, how many pixels a module
  // of its QR code has, and what to do with what is brought, and to show.
  function part(name, kind, pixels, take, show) {
    var id = 'latchkey-' + name;
    var pairing = null; // as the server made it
    var heard = 0; // how much was brought
    var asked = 0; // when
    var busy = false;
    var over = false; // until the part is opened anew
    var said = '';
    var last = null; // the part when it was last looked at, and whether it was open
    var open = false;

    function view() {
      var status = byId(id + '-status');
      if (!status) return;
      if (pairing) {
        var size = pairing.page.size + 8, qr = byId(id + '-qr');
        qr.setAttribute('viewBox', '-4 -4 ' + size + ' ' + size);
        qr.setAttribute('width', pixels * size);
        qr.setAttribute('height', pixels * size);
        byId(id + '-qr-path').setAttribute('d', pairing.page.path);
        write(id + '-address', pairing.page.address);
      }
      show(pairing);
      write(id + '-status', said && status.getAttribute('data-' + said));
    }

    function say(what) {
      said = what;
      view();
      size();
    }

    function ask(method, path, key, done) {
      var x = new XMLHttpRequest();
      busy = true;
      asked = now();
      x.onreadystatechange = function () {
        if (x.readyState !== 4) return;
        busy = false;
        var answer = null;
        try { answer = JSON.parse(x.responseText); } catch (e) { /* there is none */ }
        done(x.status, answer);
      };
      x.open(method, latchkey.config.base + path, true);
      x.timeout = 8000; // what embed.js gives the whole frame
      if (key) x.setRequestHeader('Latchkey-Key', key); else x.setRequestHeader('Content-Type', 'application/json');
      x.send(key ? null : JSON.stringify({ kind: kind, lang: (/[?&]lang=([\w-]+)/.exec(location.search) || [])[1] }));
    }

    function begin() {
      ask('POST', '/pair', '', function (status, answer) {
        if (status === 200 && answer) {
          pairing = answer;
          heard = 0;
        } else over = true;
        say(over ? 'unpaired' : 'waiting');
      });
    }

    function hear() {
      ask('GET', '/pair/' + pairing.code + '?after=' + heard, pairing.key, function (status, answer) {
        if (status === 404) {
          over = true;
          pairing = null;
          return say('over');
        }
        if (status !== 200 || !answer) return;
        heard += answer.arrived.length;
        say('arrived');
        take(answer.arrived);
      });
    }

    return function () {
      var box = byId(id);
      if (!box) return;
      // What was open stays open in a new view.
      if (box !== last && open) box.setAttribute('open', '');
      last = box;
      open = box.hasAttribute('open');
      if (!open) {
        over = false;
        return;
      }
      view();
      size();
      if (busy || over || document.hidden) return;
      if (!pairing) begin(); else if (now() - asked >= EVERY) hear();
    };
  }

  var phone = part('phone', 'phone', 6, function (arrived) {
    latchkey.learn('phone', arrived[arrived.length - 1].seen.clock.phone);
  }, function () {
    if (ahead === null) return;
    write('latchkey-server-time', new Date(Date.now() - ahead).toLocaleTimeString(document.documentElement.lang));
    byId('latchkey-utc').hidden = byId('latchkey-as-of').hidden = true;
    byId('latchkey-compare').hidden = false;
  });

  var second = part('second', 'run', 4, function (arrived) {
    var all = latchkey.seconds || [], i;
    function other(look) { return look.under !== arrived[i].under; }
    for (i = 0; i < arrived.length; i++) all = all.filter(other).concat({ under: arrived[i].under, worked: arrived[i].worked, seen: arrived[i].seen });
    latchkey.seconds = all;
    latchkey.learn();
    byId('latchkey-answer').scrollIntoView();
  }, function (pairing) {
    byId('latchkey-second-door').hidden = !pairing;
    if (pairing) write('latchkey-second-code', pairing.code);
    byId('latchkey-second-copy').onclick = function () { latchkey.copy('latchkey-second-address', this); };
  });

  function tick() {
    phone();
    second();
  }

  var samples = [];
  clock.series(latchkey.config.base, 6, 2000, function (e) {
    if (e.sample) samples.push(e.sample);
    return samples.length > 2;
  }, function () {
    var b = clock.bounds(samples);
    if (b) ahead = (b.lo + b.hi + server.lo + server.hi) / 2;
    tick();
  });
  if (window.MutationObserver) new MutationObserver(tick).observe(document.body, { childList: true, subtree: true });
  setInterval(tick, TICK);
  tick();
})(window, document);
