// In a page of its own: a paused video is sought to each time, and what it then shows is read from a canvas.
// Result: a list of {width, height, grey (base64, a byte a pixel), media_s} or {note}.
(() => {
  const WAIT_MS = 6000;
  const AHEAD_S = 10;

  const within = (promise, what, ms = WAIT_MS) => Promise.race([
    promise,
    new Promise((_, fail) => { setTimeout(() => fail(new Error(`${what} did not come`)), ms); }),
  ]);

  const happens = (target, name) => new Promise((done, fail) => {
    target.addEventListener(name, done, { once: true });
    target.addEventListener('error', () => fail(new Error(`error: ${target.error?.message ?? name}`)), { once: true });
  });

  const look = (video) => {
    const [width, height] = [video.videoWidth, video.videoHeight];
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const paint = canvas.getContext('2d', { willReadFrequently: true });
    paint.drawImage(video, 0, 0);
    const colours = paint.getImageData(0, 0, width, height).data;
    const grey = new Uint8Array(width * height);
    for (let at = 0; at < grey.length; at += 1) grey[at] = colours[4 * at + 1];
    let text = '';
    for (let at = 0; at < grey.length; at += 8192) text += String.fromCharCode(...grey.subarray(at, at + 8192));
    return { width, height, grey: btoa(text) };
  };

  const seek = async (video, time) => {
    const presented = new Promise((done) => {
      video.requestVideoFrameCallback((_, frame) => done(frame.mediaTime));
    });
    const sought = happens(video, 'seeked');
    video.currentTime = time;
    await within(sought, 'seeked');
    const media = await within(presented, 'a frame', 1500).catch(() => null);
    await new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); });
    return { ...look(video), media_s: media };
  };

  const fetched = async (url, start, end) => {
    const answer = await fetch(url, { headers: { Range: `bytes=${start}-${end - 1}` } });
    return new Uint8Array(await answer.arrayBuffer());
  };

  // [{start, end (bytes), begin_s, end_s}] of the sidx, and where the init ends.
  const indexed = async (url) => {
    const head = await fetched(url, 0, 1 << 20);
    const view = new DataView(head.buffer);
    let at = 0;
    let init = 0;
    while (at + 8 <= head.length) {
      const size = view.getUint32(at);
      const kind = String.fromCharCode(...head.subarray(at + 4, at + 8));
      if (kind === 'moov') init = at + size;
      if (kind === 'sidx') return { init: head.slice(0, init), entries: entries(view, at, at + size) };
      if (kind === 'moof') break;
      at += size;
    }
    throw new Error('there is no sidx');
  };

  const entries = (view, at, after) => {
    const long = view.getUint8(at + 8) === 1;
    const scale = view.getUint32(at + 16);
    let ticks = long ? Number(view.getBigUint64(at + 20)) : view.getUint32(at + 20);
    let place = after + (long ? Number(view.getBigUint64(at + 28)) : view.getUint32(at + 24));
    const first = at + (long ? 36 : 28);
    const found = [];
    for (let number = 0; number < view.getUint16(first + 2); number += 1) {
      const [size, length] = [view.getUint32(first + 4 + 12 * number) & 0x7fffffff, view.getUint32(first + 8 + 12 * number)];
      found.push({ start: place, end: place + size, begin_s: ticks / scale, end_s: (ticks + length) / scale });
      place += size;
      ticks += length;
    }
    return found;
  };

  const append = async (buffer, data) => {
    const done = happens(buffer, 'updateend');
    buffer.appendBuffer(data);
    await within(done, 'updateend');
  };

  // As a DASH player does: what the index says holds the time is fetched, and what follows it; nothing else is kept.
  // Chromium shows a picture only when it has enough behind it, whatever the rate.
  const bySource = async (video, url, mime) => {
    const { init, entries: all } = await indexed(url);
    const source = new MediaSource();
    video.src = URL.createObjectURL(source);
    await within(happens(source, 'sourceopen'), 'sourceopen');
    source.duration = all.at(-1).end_s;
    const buffer = source.addSourceBuffer(mime);
    await append(buffer, init);
    return async (time) => {
      const place = all.findLastIndex((entry) => entry.begin_s <= time);
      if (source.readyState === 'open') buffer.abort();
      const removed = happens(buffer, 'updateend');
      buffer.remove(0, Infinity);
      await within(removed, 'updateend');
      const wanted = all.slice(place).filter((entry) => entry.begin_s < time + AHEAD_S);
      for (const entry of wanted) await append(buffer, await fetched(url, entry.start, entry.end));
      if (wanted.at(-1) === all.at(-1)) source.endOfStream();
      return seek(video, time);
    };
  };

  const bySrc = async (video, url) => {
    const ready = happens(video, 'loadeddata');
    video.src = url;
    await within(ready, 'loadeddata');
    return (time) => seek(video, time);
  };

  window.judge = async (url, times, mime) => {
    const video = document.createElement('video');
    video.muted = true;
    document.body.replaceChildren(video);
    let to;
    try {
      to = await (mime ? bySource(video, url, mime) : bySrc(video, url));
    } catch (error) {
      return times.map(() => ({ note: String(error.message ?? error) }));
    }
    const found = [];
    for (const time of times) {
      try {
        found.push(await to(time));
      } catch (error) {
        found.push({ note: `${error.message ?? error} (${video.error?.message ?? 'no error of the video'})` });
      }
    }
    return found;
  };
})();
