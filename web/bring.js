// The part of a page that was opened to be compared with another screen: it stands
// above the answer, and sends what was seen when the person says so. Without it
// nothing is sent. ES5 without anything to rely on.
(function (window, document) {
  'use strict';

  var latchkey = window.latchkey;
  if (!latchkey || !latchkey.looks) return; // as frame.js
  var html = document.documentElement, part = byId('latchkey-bring'), form = byId('latchkey-bring-form');
  var focused = null; // in the part

  function byId(id) { return document.getElementById(id); }

  function say(what) {
    var status = byId('latchkey-bring-status');
    status.textContent = status.getAttribute('data-' + what);
  }

  function chosen(name) {
    var all = form.elements[name], i;
    for (i = 0; i < all.length; i++) if (all[i].checked) return all[i].value;
    return '';
  }

  function looked() { return html.getAttribute('data-latchkey-state') === 'done'; }

  // What would be sent now.
  function what() {
    return { kind: 'run', under: chosen('under'), worked: chosen('worked'), seen: JSON.parse(byId('latchkey-report').textContent).seen };
  }

  // Puts the part above the answer of each new view, and shows what would go.
  function tick() {
    var main = byId('latchkey');
    if (!main) return;
    var head = main.querySelector('header'), was = focused, list = part.querySelector('pre');
    if (part.parentNode !== main) {
      main.insertBefore(part, head.nextSibling);
      part.hidden = false;
      if (was) was.focus();
    }
    var text = looked() ? JSON.stringify(what(), null, 1) : '';
    if (list.textContent !== text) list.textContent = text;
  }

  function send() {
    if (!looked()) return say('looking');
    if (!chosen('under')) return say('choose');
    var x = new XMLHttpRequest(), button = byId('latchkey-bring-send');
    button.disabled = true;
    x.onreadystatechange = function () {
      if (x.readyState !== 4) return;
      button.disabled = false;
      form.hidden = x.status === 204;
      say(x.status === 204 ? 'sent' : x.status === 404 || x.status === 409 ? 'expired' : 'failed');
    };
    x.open('POST', latchkey.config.base + '/pair/' + part.getAttribute('data-code'), true);
    x.timeout = 8000; // ms
    x.setRequestHeader('Content-Type', 'application/json');
    x.send(JSON.stringify(what()));
  }

  form.onsubmit = function () {
    send();
    return false;
  };
  form.onchange = tick;
  document.addEventListener('focusin', function (e) { focused = part.contains(e.target) ? e.target : null; });
  if (window.MutationObserver) new MutationObserver(tick).observe(html, { attributes: true, attributeFilter: ['data-latchkey-state'], childList: true, subtree: true });
  setInterval(tick, 1000);
  tick();
})(window, document);
