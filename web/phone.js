// The page that a phone opens to have its clock compared with the server's. All
// words come with the page. Nothing of the result is sent before a person says
// so. ES5 without anything to rely on.
(function (window, document) {
  'use strict';

  var ALWAYS = 30; // s that codes forgive (RFC 6238: a step of 30 s, and one more for the delay)
  var NEVER = 60; // s from which on none is taken

  var clock = window.latchkeyClock, html = document.documentElement;
  var config = JSON.parse(byId('latchkey-phone-config').textContent), words = config.words;
  var server = config.server.value || { lo: 0, hi: 0 }; // ms that the server's own clock is ahead, as far as is known
  var ahead = null; // ms that this clock is ahead
  var result = null; // between what it is ahead, in whole seconds
  var told = null; // the same of the server's clock, as a report has it
  var sent = ''; // what was told to the other screen
  var round = 0; // number of the newest comparison
  var wrong = false; // whether an earlier one found the clock wrong

  function byId(id) { return document.getElementById(id); }
  function write(id, text) {
    byId(id).textContent = text || '';
    byId(id).hidden = !text;
  }

  // A number as the page's language writes it.
  function figure(n) {
    try { return new Intl.NumberFormat(html.lang, { useGrouping: false }).format(n); } catch (e) { return n; }
  }

  // A length of time in words, as package text has them.
  function length(seconds) {
    for (var i = 0; ; i++) {
      var u = config.units[i];
      if (Math.abs(seconds - u.seconds) <= u.seconds / 100 && u.one) return u.one;
      if (seconds >= 2 * u.seconds || i === config.units.length - 1) return u.words.replace('{n}', figure(Math.round(seconds / u.seconds)));
    }
  }

  function outward(ms) { return { lo: Math.floor(ms.lo / 1000), hi: Math.ceil(ms.hi / 1000) }; }

  // What the bounds say about codes.
  function judge() {
    var lo = result.lo, hi = result.hi;
    if (lo >= -ALWAYS && hi <= ALWAYS) return 'right';
    if (lo < ALWAYS && hi > -ALWAYS) return 'unsure';
    return lo >= NEVER || hi <= -NEVER ? 'wrong' : 'near';
  }

  function show(state, off) {
    var middle = result ? result.lo / 2 + result.hi / 2 : 0, title = state === 'right' && wrong ? 'again' : state;
    write('latchkey-phone-answer', words[title].replace('{size}', length(Math.abs(middle))).replace('{direction}', middle < 0 ? words.behind : words.ahead));
    write('latchkey-phone-why', (words[state + '.why'] || '').replace('{n}', figure(off)));
    byId('latchkey-phone-fix').hidden = /right|running|unsure/.test(state);
    byId('latchkey-phone-send').hidden = !config.code || !result || sent === JSON.stringify(result);
    if (result && sent !== JSON.stringify(result)) byId('latchkey-sent').textContent = '';
    byId('latchkey-phone-answer').parentNode.className = state === 'right' ? 'answer well' : 'answer ' + state;
    if (/near|wrong/.test(state)) wrong = true;
    html.setAttribute('data-latchkey-phone', state);
  }

  function face() {
    if (ahead === null) return;
    byId('latchkey-server-time').textContent = new Date(Date.now() - ahead).toLocaleTimeString(html.lang);
    byId('latchkey-utc').hidden = byId('latchkey-as-of').hidden = true;
  }

  function compare() {
    var samples = [], mine = ++round, limits = [{ ahead: 1000 * ALWAYS, behind: 1000 * ALWAYS }, { ahead: 1000 * NEVER, behind: 1000 * NEVER }];
    result = null;
    show('running');
    clock.series(config.base, 8, 2000, function (e) {
      if (e.sample) samples.push(e.sample);
      return mine !== round || clock.enough(samples, limits);
    }, function () {
      if (mine !== round) return;
      var b = clock.bounds(samples);
      if (!b) return show('unknown');
      told = outward(b);
      result = { lo: told.lo + outward(server).lo, hi: told.hi + outward(server).hi };
      b = { lo: b.lo + server.lo, hi: b.hi + server.hi };
      ahead = b.lo / 2 + b.hi / 2;
      face();
      show(judge(), Math.ceil(Math.max(Math.abs(b.lo), Math.abs(b.hi)) / 100) / 10);
    });
  }

  function send() {
    var x = new XMLHttpRequest(), now = JSON.stringify(result), button = byId('latchkey-send');
    button.disabled = true;
    x.onreadystatechange = function () {
      if (x.readyState !== 4) return;
      button.disabled = false;
      if (x.status === 204) {
        sent = now;
        byId('latchkey-phone-send').hidden = true;
      }
      byId('latchkey-sent').textContent = x.status === 204 ? words.sent : x.status === 404 || x.status === 409 ? words.expired : words.failed;
    };
    x.open('POST', config.base + '/pair/' + config.code, true);
    x.timeout = 8000; // ms
    x.setRequestHeader('Content-Type', 'application/json');
    x.send(JSON.stringify({ kind: 'phone', seen: { clock: { phone: { value: { lo: 1000 * told.lo, hi: 1000 * told.hi } } } } }));
  }

  byId('latchkey-send').onclick = send;
  // Who comes back may have set the clock.
  document.addEventListener('visibilitychange', function () { if (!document.hidden) compare(); });
  window.addEventListener('pageshow', function (e) { if (e.persisted) compare(); });
  setInterval(face, 1000);
  compare();
})(window, document);
