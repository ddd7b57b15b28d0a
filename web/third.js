// In a frame of another site: which cookies does this site have here? The first
// page writes two and goes on to the second, with which the server says what
// came over HTTP. That one tells the page around it, and takes them away again.
// A third page, which a person sees, asks the browser for access to all.
// ES5 without anything to rely on.
(function (window, document) {
  'use strict';

  var at = JSON.parse(document.getElementById('latchkey-third').textContent);
  var own = 'latchkey-none-' + at.run, apart = 'latchkey-apart-' + at.run;

  function write(name, age, more) {
    document.cookie = name + '=1; Path=' + at.path + '; SameSite=None; Secure; Max-Age=' + age + more;
  }
  function kept(name, more) {
    try {
      write(name, 60, more);
      return { value: document.cookie.indexOf(name + '=1') >= 0 };
    } catch (e) { return { error: e.name }; }
  }

  if (at.ask) {
    document.getElementById('latchkey-allow').onclick = function () {
      function denied() {
        var p = document.getElementById('latchkey-denied');
        p.textContent = p.getAttribute('data-text');
      }
      try {
        document.requestStorageAccess().then(function () { window.parent.postMessage({ allowed: true }, at.to); }, denied);
      } catch (e) { denied(); }
    };
    return;
  }

  if (at.again) {
    var seen = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    seen.frame = { value: location.hostname };
    seen.asks = { value: at.asks };
    seen.http = { value: at.http };
    if ('login' in at) seen.login = { value: at.login };
    try {
      write(own, 0, '');
      write(apart, 0, '; Partitioned');
    } catch (e) { /* there are none */ }
    window.parent.postMessage({ run: at.run, seen: seen }, at.to);
    return;
  }

  function go(access) {
    var seen = { access: access, own: kept(own, ''), partitioned: kept(apart, '; Partitioned') };
    location.replace(at.path + '/again' + location.search + '#' + encodeURIComponent(JSON.stringify(seen)));
  }
  // What a person has allowed by a click holds for each frame that asks for it:
  // then no question comes.
  function use(has) {
    if (has || !at.asks) return go({ value: has });
    function no() { go({ value: false }); }
    navigator.permissions.query({ name: 'storage-access' }).then(function (p) {
      if (p.state !== 'granted') return no();
      document.requestStorageAccess().then(function () { go({ value: true }); }, no);
    }, no);
  }
  function failed(e) { go({ error: e.name }); }
  try {
    if (!document.hasStorageAccess) throw { name: 'undefined' };
    document.hasStorageAccess().then(use).then(null, failed);
  } catch (e) { failed(e); }
})(window, document);
