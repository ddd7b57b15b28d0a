// How Latchkey asks its server for the time, for network.js and the phone's clock
// page. ES5 without anything to rely on. Stamps are taken next to the request;
// package clock says what they mean.
(function (window) {
  'use strict';

  var QUICK = 250; // ms of width from which on more exchanges tell nobody anything
  var ROUGH = 20; // ms that the coarsest timers, Firefox's with resistFingerprinting, are off with the rest of a millisecond
  var JUMP = 50; // ms from which on a change between both clocks is one, as package clock has it, which allows coarse ones more
  var LIMIT = 60000; // ms that a clock may be off where no operator says so

  function now() { return window.performance && performance.now ? performance.now() : Date.now(); }
  function reading() { return { wall: Date.now(), mono: now() }; }

  // One exchange, or why there was none. mine is whether our own server answered,
  // way how long it took without the time in which the page was busy.
  function exchange(base, done) {
    var nonce = '', x = new XMLHttpRequest(), before, after;
    while (nonce.length < 16) nonce += Math.floor((1 + Math.random()) * 65536).toString(16).slice(1);
    x.onreadystatechange = function () {
      if (x.readyState !== 4) return;
      after = reading();
      var e = { mine: false, way: after.mono - before.mono }, t;
      try {
        var list = performance.getEntriesByType('resource');
        for (var i = 0; i < list.length; i++) {
          if (list[i].requestStart && list[i].name.indexOf(nonce) > 0) e.way = list[i].responseEnd - list[i].requestStart;
        }
      } catch (none) { /* no notes of the browser's */ }
      try {
        if (!x.status || x.status >= 500 && x.status !== 511) e.error = 'NetworkError: ' + x.status;
        else {
          t = JSON.parse(x.responseText);
          if (t.nonce !== nonce) e.error = 'Replayed: another answer';
          else {
            e.mine = true;
            e.sample = { before: before, after: after, received: t.received, sent: t.sent };
          }
        }
      } catch (odd) { e.error = odd.name + ': no time'; }
      done(e);
    };
    x.open('GET', base + '/clock?n=' + nonce, true);
    x.timeout = 8000; // what embed.js gives the whole frame
    before = reading();
    x.send();
  }

  // Exchanges one after the other, at most count and none after span ms. It calls
  // each with every one, which ends it by returning true, and then end.
  function series(base, count, span, each, end) {
    var begun = now();
    (function next() {
      exchange(base, function (e) {
        if (each(e) || !--count || now() - begun > span) end(); else next();
      });
    })();
  }

  // Between what the device's clock is ahead of the server's by those exchanges, of
  // which the first opened the connection; null if they contradict each other. What
  // was before the clock was set, or while it was, does not count.
  function bounds(samples) {
    var lo = -Infinity, hi = Infinity, n = 0, lead = null;
    function jumped(r) {
      var before = lead;
      lead = r.wall - r.mono;
      if (before === null || Math.abs(lead - before) <= JUMP) return false;
      lo = -Infinity;
      hi = Infinity;
      n = 0;
      return true;
    }
    for (var i = samples.length > 1 ? 1 : 0; i < samples.length; i++) {
      var s = samples[i];
      jumped(s.before);
      if (jumped(s.after)) continue;
      lo = Math.max(lo, s.before.wall - s.received - (s.rounded || 0) - ROUGH);
      hi = Math.min(hi, s.after.wall - s.sent + ROUGH);
      n++;
    }
    return lo <= hi && n ? { lo: lo, hi: hi } : null;
  }

  // Whether all tolerances lie outside of the bounds, so that more exchanges
  // change no answer.
  function enough(samples, tolerances) {
    var b = samples.length > 2 && bounds(samples), list = tolerances && tolerances.length ? tolerances : [{ ahead: LIMIT, behind: LIMIT }];
    if (!b || b.hi - b.lo > QUICK) return false;
    for (var i = 0; i < list.length; i++) {
      if (b.lo < list[i].ahead && b.hi > list[i].ahead || b.lo < -list[i].behind && b.hi > -list[i].behind) return false;
    }
    return true;
  }

  // How coarse the clocks are, by reading them without a pause: each change once,
  // and for the wall clock how often the loop came by. It takes some
  // milliseconds, and 60 where the clocks are coarsest.
  function ticks() {
    var walls = [], turns = [], monos = [], n = 0, begun = Date.now(), r = reading();
    walls.push(r.wall);
    monos.push(r.mono);
    while (walls.length < 8 && Date.now() - begun < 60 && n < 1e6) {
      r = reading();
      n++;
      if (r.wall !== walls[walls.length - 1]) {
        walls.push(r.wall);
        turns.push(n);
        n = 0;
      }
      if (monos.length < 32 && r.mono !== monos[monos.length - 1]) monos.push(r.mono);
    }
    return { walls: walls, turns: turns, monos: monos };
  }

  window.latchkeyClock = { now: now, reading: reading, exchange: exchange, series: series, bounds: bounds, enough: enough, ticks: ticks };
})(window);
