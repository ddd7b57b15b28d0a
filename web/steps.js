// Which way a person has gone from step to step, for frame.js. It stands in the
// address: there it survives a reload where nothing can be stored, and the
// browser's Back goes a step back. ES5 without anything to rely on but looks.js.
(function (window, document) {
  'use strict';

  var AWAY = 1000; // ms: less and nobody was anywhere
  var REST = 10000; // ms between two looks that nobody asked for

  var latchkey = window.latchkey;
  if (!latchkey.looks) return; // an element has that id
  var each = latchkey.each, now = latchkey.now;

  // The ids under a name in the address.
  function ids(name) {
    var m = new RegExp('[?&]' + name + '=([a-z0-9,-]+)').exec(location.search.replace(/%2C/gi, ','));
    return m ? m[1].split(',') : [];
  }

  function write(how) {
    var q = [];
    each(location.search.slice(1).split('&'), function (pair) { if (pair && !/^(tried|before)=/.test(pair)) q.push(pair); });
    if (steps.tried.length) q.push('tried=' + steps.tried);
    if (steps.before.length) q.push('before=' + steps.before);
    try { history[how](null, '', location.pathname + '?' + q.join('&')); } catch (e) { /* too often at once */ }
  }

  var steps = latchkey.steps = {
    tried: ids('tried'), // the fixes that did not help
    before: ids('before'), // what earlier looks found, the newest first
    found: [], // what the newest look found
    at: 0, // when that was
    // What is found now is what was found before the next look.
    remember: function () {
      steps.before = steps.found.filter(function (id) { return steps.before.indexOf(id) < 0; }).concat(steps.before);
      write('replaceState');
    },
    // A button has what will have been tried when it is pressed. For whom that did
    // not help, what is gone was not it, either.
    next: function (button) {
      var tried = button && button.value ? button.value.split(',') : steps.tried;
      steps.remember(); // for who comes back
      if (tried.length === steps.tried.length) return;
      if (document.querySelector('[data-latchkey-fixed]')) steps.before = [];
      steps.tried = tried;
      write('pushState');
    },
    // Whether storage was refused to this document: then Chromium refuses it as long
    // as the document lives, whatever is set (156, seen 2026-11), so that only a
    // new one can tell.
    stuck: function (slow) {
      for (var any in latchkey.real) return true;
      return /Security|Unknown|Insecure/.test([(slow.indexedDB || {}).error, (slow.cache || {}).error]);
    },
    // Calls back when a person goes a step back, or comes back from elsewhere, where
    // something may have been set right.
    watch: function (rejudge, look) {
      var gone = 0, windows = [window];
      window.addEventListener('popstate', function () {
        steps.tried = ids('tried');
        steps.before = ids('before');
        rejudge();
      });
      function leave() { gone = gone || now(); }
      function back() {
        var away = gone && now() - gone;
        gone = 0;
        if (away >= AWAY && now() - steps.at >= REST && steps.found.length && document.documentElement.getAttribute('data-latchkey-state') === 'done') {
          steps.remember();
          look();
        }
      }
      document.addEventListener('visibilitychange', function () { if (document.hidden) leave(); else back(); });
      // Settings of the system stand in front of the page and leave it visible.
      try { if (window.parent.document) windows.push(window.parent); } catch (e) { /* another site's */ }
      each(windows, function (w) {
        w.addEventListener('blur', function () { if (!windows[windows.length - 1].document.hasFocus()) leave(); });
        w.addEventListener('focus', back);
      });
    }
  };
})(window, document);
