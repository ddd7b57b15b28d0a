// The programs in a real browser, for internal/e2e/clock_bench_test.go, which
// bundles this with the npm packages as they are. looks.js, clock.js and network.js
// of Latchkey were loaded before it.
'use strict';

const timesync = require('timesync');
const { SyncClient } = require('@ircam/sync');

// Each calls back with its offset: the device's time less the server's, in ms.
// Latchkey's exchanges are judged elsewhere.
const programs = {
  latchkey(done) {
    latchkey.looks.clock(({ value, error }) => {
      const list = value ? value.list : [];
      // Whether the rule that ends a look held after one exchange, two and so on.
      done({ error, exchanges: value, enough: list.map((_, i) => latchkeyClock.enough(list.slice(0, i + 1))) });
    });
  },
  // The same for as many exchanges as there are in a series, whatever is enough.
  'latchkey-8'(done) {
    const list = [];
    latchkeyClock.series('/latchkey', 8, Infinity, (e) => { if (e.sample) list.push(e.sample); }, () => {
      done({ exchanges: { list, ...latchkeyClock.ticks() } });
    });
  },
  timesync(done) {
    const ts = timesync.create({ server: '/timesync', interval: null });
    let offset; // which is 0 before it knows
    ts.on('change', (ahead) => { offset = -ahead; });
    ts.on('sync', (state) => { if (state === 'end') done({ offset }); });
    ts.sync();
  },
  // As its README has it, but for the end. Its clock is that of the page, from
  // which the device's differs by what is asked here.
  ircam(done) {
    const client = new SyncClient(() => performance.now() / 1000);
    const socket = new WebSocket('/ircam');
    socket.addEventListener('open', () => {
      client.start(
        (id, ping) => socket.send(JSON.stringify([0, id, ping])),
        (receive) => socket.addEventListener('message', (e) => {
          const [kind, ...pong] = JSON.parse(e.data);
          if (kind === 1) receive(...pong);
        }),
        (report) => {
          if (report.status !== 'training') return;
          done({ offset: Date.now() - 1000 * client.getSyncTime() });
          client.stop();
          socket.close();
        }
      );
    });
  },
};

// Runs one of them, and adds how long it took. Whoever has not answered in half a
// minute has given up: timesync waits for ever once a request has failed.
window.ask = (name) => new Promise((resolve) => {
  const begun = performance.now(), end = (said) => resolve({ ...said, took: performance.now() - begun });
  setTimeout(end, 30000);
  programs[name](end);
});
