// Runs the npm packages timesync and @ircam/sync, as they are, on simulated
// clocks and a simulated way: reads the runs that bench_test.go drew from
// standard input, and writes what each package said and what was true.
'use strict';

const settle = setImmediate; // the real one, after which all promises are done
const EPOCH = 1764000000000; // as in sim_test.go, like all that follows up to Device

class Device {
  constructor(run) {
    this.run = run;
    this.at = Infinity;
    this.t = 0;
    this.asked = 0;
    this.queue = [];
    this.ids = 0;
  }

  ahead() {
    return this.run.offset + (this.run.drift + this.run.slew) * this.t + (this.t >= this.at ? this.run.event.step : 0);
  }
  wall() { return Math.floor(this.shown(EPOCH + this.t + this.ahead(), this.run.grain.wall)); }
  mono() {
    const { stops, sleep } = this.run.event;
    const t = stops && this.t > this.at ? this.t - Math.min(sleep, this.t - this.at) : this.t;
    return this.shown(1234.5678 + t * (1 + this.run.drift), this.run.grain.mono);
  }
  shown(x, grain) {
    let k = Math.floor(x / grain);
    if (this.run.noise > 0 && x / grain - k >= Math.abs(Math.sin(k * 0.7 + this.run.noise)) * 1000 % 1) k++;
    return k * grain;
  }
  awake(t) {
    const end = this.at + this.run.event.sleep;
    return t >= this.at && t < end ? end : t;
  }

  // The next exchange, which begins now: the server's stamps, and when the answer
  // is there.
  ask() {
    const e = this.run.exchanges[Math.min(this.asked, this.run.exchanges.length - 1)];
    const took = e.forward + e.server + e.back;
    if (this.asked++ === this.run.event.exchange) this.at = this.t + this.run.event.at * took;
    const stamp = (t) => Math.floor((EPOCH + t) * 1000) / 1000;
    return { received: stamp(this.t + e.forward), sent: stamp(this.t + e.forward + e.server), answered: this.t + took };
  }

  plan(f, due) {
    this.queue.push({ f, due, id: ++this.ids });
    return this.ids;
  }
  // What happens next, if anything.
  next() {
    this.queue.sort((a, b) => a.due - b.due || a.id - b.id);
    const job = this.queue.shift();
    if (!job) return false;
    this.t = Math.max(this.t, this.awake(job.due));
    job.f();
    return true;
  }
}

let device;
Date.now = () => device.wall();
performance.now = () => device.mono();
global.setTimeout = (f, ms) => device.plan(f, device.t + ms + device.run.exchanges[Math.min(device.asked, 15)].late);
global.clearTimeout = (id) => { device.queue = device.queue.filter((job) => job.id !== id); };
// timesync 1.0.11 asks for a package that it does not bring, where there is no window.
global.window = { Promise };

const timesync = require('timesync');
const { SyncClient } = require('@ircam/sync');

// Each takes a function to call with its offset: the device's time less the server's.
const programs = {
  timesync(done) {
    const ts = timesync.create({ server: 'server', interval: null });
    ts.send = (to, data) => new Promise((resolve) => {
      const { received, answered } = device.ask();
      device.plan(() => {
        ts.receive(to, { id: data.id, result: Math.floor(received) }); // its own server tells Date.now()
        resolve();
      }, answered);
    });
    ts.on('sync', (state) => { if (state === 'end') done(-ts.offset); });
    ts.sync();
  },
  ircam(done) { ircam(() => performance.now() / 1000, done); }, // as its README has it
  'ircam-wall'(done) { ircam(() => Date.now() / 1000, done); },
};

function ircam(clock, done) {
  const client = new SyncClient(clock);
  let receive;
  client.start(
    (id, ping) => {
      const { received, sent, answered } = device.ask();
      device.plan(() => receive(id, ping, received / 1000, sent / 1000), answered);
    },
    (f) => { receive = f; },
    (report) => {
      if (report.status !== 'training') return;
      done(Date.now() - 1000 * client.getSyncTime());
      client.stop();
    }
  );
}

async function measure(program, run) {
  device = new Device(run);
  let result = null;
  program((offset) => { result = result || { offset, truth: device.ahead(), took: device.t, asked: device.asked }; });
  do await new Promise(settle); while (!result && device.next());
  return result;
}

// The readings of run.look, to see that both simulations are the same.
function look(run) {
  const stamps = [];
  device = new Device(run);
  for (let i = 0; i < run.exchanges.length; i++) {
    const { pause, late } = run.exchanges[i];
    const read = () => {
      const wall = device.wall();
      device.t += pause;
      return { wall, mono: device.mono() };
    };
    const before = read();
    const { received, sent, answered } = device.ask();
    device.t = device.awake(answered);
    stamps.push({ before, after: read(), received, sent });
    device.t = device.awake(device.t + 80 + late);
  }
  return stamps;
}

async function main() {
  let text = '';
  for await (const chunk of process.stdin) text += chunk;
  const out = [];
  for (const runs of JSON.parse(text)) {
    const results = { look: look(runs[0]) };
    for (const name of Object.keys(programs)) {
      results[name] = [];
      for (const run of runs) results[name].push(await measure(programs[name], run));
    }
    out.push(results);
  }
  process.stdout.write(JSON.stringify(out));
}

main();
