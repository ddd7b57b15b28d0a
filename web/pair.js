// The part of the widget that checks the clock of the phone that makes codes,
// loaded when it is opened: the server's time runs on it, its QR code gets the
// code of a pairing, and what the phone tells is fetched. It is done again after
// each new view. ES5 without anything to rely on.
(function (window, document) {
  'use strict';

  var TICK = 1000; // ms
  var EVERY = 3000; // ms between two questions whether the phone has answered

  var latchkey = window.latchkey, clock = window.latchkeyClock, now = latchkey.now;
  var server = ((latchkey.config.clock || {}).server || {}).value || { lo: 0, hi: 0 }; // ms that the server's own is ahead, as far as is known
  var ahead = null; // ms that this device's clock is ahead
  var pairing = null; // as the server made it
  var heard = 0; // how much the phone has told
  var asked = 0; // when
  var busy = false;
  var over = false; // until the part is opened anew
  var said = '';
  var last = null; // the part when it was last looked at, and whether it was open
  var open = false;
  var height = 0; // of the page when it was last told

  function byId(id) { return document.getElementById(id); }

  // Writes into the text that is there: go-app keeps it.
  function write(id, text) {
    var n = byId(id);
    if (n && n.textContent !== text) { if (n.firstChild) n.firstChild.nodeValue = text; else n.textContent = text; }
  }

  function show() {
    var status = byId('latchkey-phone-status'), qr = byId('latchkey-qr');
    if (ahead !== null) {
      write('latchkey-server-time', new Date(Date.now() - ahead).toLocaleTimeString());
      byId('latchkey-utc').hidden = byId('latchkey-as-of').hidden = true;
      byId('latchkey-compare').hidden = false;
    }
    if (pairing) {
      var size = pairing.phone.size + 8;
      qr.setAttribute('viewBox', '-4 -4 ' + size + ' ' + size);
      qr.setAttribute('width', 6 * size);
      qr.setAttribute('height', 6 * size);
      byId('latchkey-qr-path').setAttribute('d', pairing.phone.path);
      write('latchkey-phone-address', pairing.phone.address);
    }
    write('latchkey-phone-status', said && status.getAttribute('data-' + said));
    if (height === document.body.offsetHeight) return;
    height = document.body.offsetHeight;
    latchkey.size();
  }

  function say(what) {
    said = what;
    if (byId('latchkey-phone')) show();
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
    x.send(key ? null : '{}');
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
    ask('GET', '/pair/' + pairing.code, pairing.key, function (status, answer) {
      if (status === 404) {
        over = true;
        pairing = null;
        return say('over');
      }
      if (status !== 200 || !answer || answer.arrived.length <= heard) return;
      heard = answer.arrived.length;
      say('arrived');
      latchkey.learn('phone', answer.arrived[heard - 1].seen.clock.phone);
    });
  }

  function tick() {
    var part = byId('latchkey-phone');
    if (!part) return;
    // What was open stays open in a new view.
    if (part !== last && open) part.setAttribute('open', '');
    last = part;
    open = part.hasAttribute('open');
    if (!open) {
      over = false;
      return;
    }
    show();
    if (busy || over || document.hidden) return;
    if (!pairing) begin(); else if (now() - asked >= EVERY) hear();
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
