// The live part of a case's page: asks for it anew when the server rings, or every
// few seconds where its stream of events does not come through. A page that nobody
// sees asks nothing.
(function () {
	'use strict';
	var part = document.getElementById('live'), base = part.getAttribute('data-live'), heard = 0, stream;

	function load() {
		var ask = new XMLHttpRequest();
		ask.open('GET', base + 'now?have=' + part.children[0].getAttribute('data-have'));
		ask.onload = function () {
			if (ask.status === 204) { return; }
			// A whole page is the one to sign in, or says that the case is gone.
			if (ask.status !== 200 || /^\s*<!/.test(ask.responseText)) { location.reload(); return; }
			part.innerHTML = ask.responseText;
			document.getElementById('live-said').textContent = part.children[0].getAttribute('data-said');
		};
		ask.send();
	}

	function open() {
		if (stream) { stream.close(); stream = null; }
		heard = 0;
		if (document.hidden || !window.EventSource) { return; }
		stream = new EventSource(base + 'live');
		stream.onmessage = function (e) {
			heard = Date.now();
			if (e.data === 'ring') { load(); }
		};
	}

	document.addEventListener('visibilitychange', open);
	setInterval(function () {
		if (!document.hidden && Date.now() - heard > 25000) { load(); }
	}, 5000);
	open();
})();
