// The languages of the page and of the browser's menus, for frame.js and the Go
// program. ES5 without anything to rely on but looks.js.
(function (window, document) {
  'use strict';

  var PATIENCE = 3000; // ms that the Go program waits for words once it has started

  var latchkey = window.latchkey;
  if (!latchkey || !latchkey.looks) return; // as frame.js
  var html = document.documentElement, config = latchkey.config, locale = navigator.language || '', wanted;

  // What pages are asked for in is a person's choice. Browsers write dates as their
  // menus are written, unless a system's region says otherwise.
  try { locale = new Intl.DateTimeFormat().resolvedOptions().locale; } catch (e) { /* none */ }
  latchkey.spoken = 'lang=' + config.lang + '&menus=' + locale;

  // Where the menu words of a language are, as package text finds one.
  function menus(tag) {
    var zh = /^zh/i.test(tag) && (/hans/i.test(tag) || !/hant|-(tw|hk|mo)/i.test(tag) ? 'zh-Hans' : 'zh-Hant');
    for (tag = zh || tag.replace(/^fil\b/, 'tl'); tag && tag !== config.lang; tag = tag.replace(/-?[^-]*$/, '')) {
      if (config.menus[tag]) return config.menus[tag];
    }
    return tag && config.words; // which has those of its own language
  }

  // A promise of a file of words, empty if it does not come.
  function file(address) {
    return address ? fetch(address).then(function (r) { return r.ok ? r.json() : {}; })['catch'](function () { return {}; }) : {};
  }

  // A promise of the words that the Go program does not have, as JSON or empty, and
  // which language they are in. They are asked for beside it, which takes longer.
  function words() {
    var own = menus(locale);
    return Promise.all([file(config.words), own !== config.words && file(own)]).then(function (files) {
      var all = files[0], key;
      latchkey.lang = all['meta.name'] ? config.lang : 'en';
      if (files[1]) {
        for (key in all) if (!key.indexOf('menu.')) delete all[key];
        for (key in files[1]) all[key] = files[1][key];
      }
      return JSON.stringify(all);
    });
  }
  if (window.WebAssembly && window.fetch && (config.words || menus(locale))) wanted = words();
  latchkey.words = function () {
    return wanted && Promise.race([wanted, new Promise(function (done) { setTimeout(done, PATIENCE); })]).then(function (all) {
      if (!all) latchkey.lang = 'en';
      if (latchkey.lang !== config.lang) {
        html.lang = latchkey.lang;
        html.dir = 'ltr';
      }
      return all;
    });
  };

  // The address has the steps that were gone so far, which the links do not know.
  document.addEventListener('click', function (e) {
    var tag = e.target.getAttribute('data-language'), q = [];
    if (!tag) return;
    e.preventDefault();
    latchkey.each(location.search.slice(1).split('&'), function (pair) { if (pair && !/^(lang|look|run)=/.test(pair)) q.push(pair); });
    location.replace(location.pathname + '?' + q.concat('lang=' + tag).join('&'));
  });
})(window, document);
