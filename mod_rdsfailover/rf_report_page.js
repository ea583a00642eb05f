// SPDX-License-Identifier: Apache-2.0
// Keeps the page up to date. It draws nothing: each second it asks for the JSON, which says whether something has happened; when it
// has, or something is going on, or some seconds are over, it asks for the page and exchanges the parts that differ.
(() => {
  'use strict';
  const SECOND = 1000, HIDDEN = 30 * SECOND, LONGEST = 30 * SECOND, PATIENCE = 5 * SECOND, QUIET = 5 * SECOND;
  const NOTE = 30 * SECOND;
  const root = document.documentElement, body = document.body;
  const by = (id) => document.getElementById(id);
  let pause = SECOND;             // until the next question
  let timer = 0, asking = false, farewell = 0;
  let shown = '';                 // what the page shows, as the JSON has it
  let drawn = performance.now();  // when the page was last asked for
  let heard = performance.now();  // when an answer last came
  let clock = Date.parse(by('asof').dataset.generated);   // the server's clock then
  let released = null;            // what had been released by then, for each database
  const now = () => clock + performance.now() - heard;

  const span = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000)), n = '\u00a0';
    if (s < 60) return s + n + 's';
    if (s < 3600) return Math.floor(s / 60) + n + 'min ' + s % 60 + n + 's';
    if (s < 86400) return Math.floor(s / 3600) + n + 'h ' + Math.floor(s % 3600 / 60) + n + 'min';
    return Math.floor(s / 86400) + n + 'd ' + Math.floor(s % 86400 / 3600) + n + 'h';
  };

  // As the server writes them (rf_report_html_parts.c).
  const count = (n) => String(n).length > 4 ? String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f') : String(n);
  const short = (ms) => ms < 10 ? +ms.toPrecision(3) + '\u00a0ms'
    : ms < 1000 ? Math.floor(ms) + '\u00a0ms' : (ms / 1000).toFixed(2) + '\u00a0s';

  // What changes with every probe is written where it stands (update); all the rest is drawn anew when it is another.
  const FLEETING = new Set(['observed', 'rtt_ms', 'answered', 'ttl', 'last', 'count', 'age_ms', 'generated', 'pid', 'inflight']);
  const essence = (json) => JSON.stringify(json, (key, value) => FLEETING.has(key) ? undefined : value);
  const value = (object, path) => path.split('.').reduce((o, key) => o?.[key], object);

  function update(json) {
    for (const element of document.querySelectorAll('[data-at="monitor"]')) {
      element.dataset.since = new Date(Date.parse(json.generated) - json.monitor.age_ms).toISOString();
    }
    json.databases.forEach((d, i) => {
      for (const element of by('db-' + i)?.querySelectorAll('[data-at]') ?? []) {
        element.dataset.since = value(d, element.dataset.at) ?? element.dataset.since;
      }
      for (const element of by('db-' + i)?.querySelectorAll('[data-v]') ?? []) {
        const v = value(d, element.dataset.v);
        element.textContent = v == null ? '\u2013' : element.dataset.v.endsWith('_ms') ? short(v) : count(v);
      }
    });
  }
  const busy = (json) => json.databases.some((d) => d.state !== 'available' || d.hold.now || d.hold.running || d.order);

  // A page that was opened with a user and a password in its address may ask for nothing relative to that.
  function address(relative) {
    const url = new URL(relative, location.href);
    url.username = url.password = '';
    return url;
  }

  async function ask(what) {
    const stop = new AbortController(), limit = setTimeout(() => stop.abort(), PATIENCE);
    try {
      const answer = await fetch(address(body.dataset[what]), { cache: 'no-store', signal: stop.signal, credentials: 'same-origin' });
      if (!answer.ok) throw new Error('the server answers ' + answer.status);
      return await (what === 'json' ? answer.json() : answer.text());
    } catch (e) {
      throw e.name === 'AbortError' ? new Error('no answer within ' + PATIENCE / SECOND + ' s') : e;
    } finally {
      clearTimeout(limit);
    }
  }

  // Whoever reads, types or points there is not disturbed.
  const engaged = (element) => {
    const marked = getSelection();
    return (element.contains(document.activeElement) && document.activeElement.matches('input, select, button'))
      || (marked && !marked.isCollapsed && marked.containsNode(element, true));
  };

  function exchange(old, fresh) {
    if (old.matches('details')) fresh.open = old.open;
    if (old.isEqualNode(fresh) || engaged(old)) return;
    const link = old.contains(document.activeElement) && [...old.querySelectorAll('a, summary')].indexOf(document.activeElement);
    old.replaceWith(fresh);
    if (link !== false && link >= 0) fresh.querySelectorAll('a, summary')[link]?.focus({ preventScroll: true });
  }

  function draw(text) {
    const page = new DOMParser().parseFromString(text, 'text/html');
    // A restart may add and take away some.
    const sections = (d) => [...d.querySelectorAll('.db, .part')].filter((e) => !e.closest('.part-list')).map((e) => e.id).join();
    if (!page.getElementById('main')) throw new Error('this is not the status any more');
    if (sections(page) !== sections(document)) {
      by('main').replaceWith(page.getElementById('main'));
    } else {
      for (const fresh of page.querySelectorAll('.db')) {
        by(fresh.id).className = fresh.className;
        by(fresh.id).dataset.state = fresh.dataset.state;
      }
      for (const list of page.querySelectorAll('.part-list')) {
        const same = [...list.children].map((e) => e.id).join() === [...by(list.id).children].map((e) => e.id).join();
        if (!same) by(list.id).replaceWith(list);
      }
      for (const fresh of page.querySelectorAll('.part')) {
        const old = by(fresh.id);
        if (old && old !== fresh) exchange(old, fresh);
      }
    }
    document.title = page.title;
    by('icon').href = page.getElementById('icon').href;
  }

  function announce(json) {
    const words = json.databases.filter((d, i) => (by('db-' + i)?.dataset.state ?? d.state) !== d.state)
      .map((d) => d.name + ' is ' + d.state).join(', ');
    if (words) by('said').textContent = words;
  }

  function rates(json, seconds) {
    const sums = json.databases.map((d) => d.hold.released);
    for (const element of document.querySelectorAll('[data-rate]')) {
      const i = +element.dataset.rate, n = released && seconds > 0 ? (sums[i] - released[i]) / seconds : 0;
      element.textContent = n >= 10 || n <= 0 ? String(Math.max(0, Math.round(n))) : n.toFixed(1);
    }
    return sums;
  }

  async function look() {
    clearTimeout(timer);
    if (asking) return;
    asking = true;
    const began = performance.now();
    try {
      const json = await ask('json'), seconds = (began - heard) / 1000;
      const news = essence(json), changed = news !== shown;
      announce(json);
      if (changed || busy(json) || began - drawn >= QUIET) {
        draw(await ask('html'));
        shown = news;
        drawn = began;
      } else {
        update(json);
      }
      // Only now, when all of it is shown. And no answer is older than its question.
      heard = began;
      clock = Date.parse(json.generated);
      released = rates(json, seconds);
      by('lost').hidden = true;
      root.classList.remove('away');
      // A server that takes long has something better to do than to answer us.
      const took = performance.now() - began;
      pause = document.hidden ? HIDDEN : took > SECOND ? Math.min(2 * Math.max(pause, took), LONGEST) : SECOND;
    } catch (e) {
      pause = Math.min(2 * pause, LONGEST);
      root.classList.add('away');
      const lost = by('lost');
      lost.hidden = false;
      lost.textContent = 'Contact with the server is lost: ' + e.message + '. What you see is old. The next try comes within '
        + span(pause) + '.';
    }
    asking = false;
    tick();
    timer = setTimeout(look, pause);
  }

  function tick() {
    const age = (performance.now() - heard) / 1000;
    by('age').textContent = (root.classList.contains('away') ? 'No contact, last answer ' : 'Live, ')
      + (age < 10 ? age.toFixed(1) : Math.round(age)) + '\u00a0s old';
    // Without contact nobody knows whether a state lasts; an age goes on.
    for (const element of document.querySelectorAll(root.classList.contains('away') ? '[data-at]' : '[data-since]')) {
      const text = span(now() - Date.parse(element.dataset.since));
      if (element.textContent !== text) element.textContent = text;
    }
  }

  // A page of another site cannot set this header, so it cannot use what the browser knows of the user.
  async function order(form, button) {
    const fields = new URLSearchParams(new FormData(form)), time = form.querySelector('select');
    fields.set('action', button.value);
    if (/^(?:disarm|release)$/.test(button.value)) fields.delete('ttl');
    const lasts = fields.has('ttl') ? ' (' + time.selectedOptions[0].text + ')' : '';
    if (!confirm(fields.get('database') + lasts + ': ' + button.dataset.question)) return;
    try {
      const answer = await fetch(address(form.getAttribute('action')), {
        method: 'POST', body: fields, headers: { 'X-RDSFailover-Control': '1' }, cache: 'no-store', credentials: 'same-origin',
      });
      // What the handler did not say itself is a page of the server's.
      const plain = (answer.headers.get('content-type') ?? '').startsWith('text/plain');
      const text = plain ? (await answer.text()).slice(0, 500) : answer.statusText;
      if (answer.ok) say('done', 'Done', text);
      else say('failed', 'Not done (' + answer.status + ')', text);
    } catch (e) {
      say('unsure', 'Whether it was done is not known', e.message);
    }
    pause = SECOND;
    look();
  }

  // What became of the last order. Only a success needs no more attention after a while.
  function say(how, title, text) {
    const note = by('answer'), strong = document.createElement('strong');
    strong.textContent = title;
    note.className = 'note ' + how;
    note.replaceChildren(strong, ': ' + text);
    note.hidden = false;
    clearTimeout(farewell);
    if (how === 'done') farewell = setTimeout(() => { note.hidden = true; }, NOTE);
  }

  addEventListener('submit', (event) => {
    if (!event.target.closest('.control') || !event.submitter) return;
    event.preventDefault();
    order(event.target, event.submitter);
  });
  root.classList.add('scripted');
  addEventListener('visibilitychange', () => { if (!document.hidden) { pause = SECOND; look(); } });
  addEventListener('online', look);
  setInterval(() => { if (!document.hidden) tick(); }, 500);
  look();
})();
