// In a frame of another site: which cookies does this site have here? The first
// page writes two and goes on to the second, with which the server says what
// came over HTTP. That one tells the page around it, and takes them away again.
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

  if (at.again) {
    var seen = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    seen.frame = { value: location.hostname };
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
  function failed(e) { go({ error: e.name }); }
  try {
    if (!document.hasStorageAccess) throw { name: 'undefined' };
    document.hasStorageAccess().then(function (has) { go({ value: has }); }, failed);
  } catch (e) { failed(e); }
})(window, document);
