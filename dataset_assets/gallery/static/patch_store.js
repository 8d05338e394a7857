// The patches of all videos as columns of numbers, filtered and sorted; a million of them take 60 MB.
"use strict";

// An array of numbers that grows.
class Column {
  constructor(Type) {
    this.values = new Type(4096);
    this.length = 0;
  }

  append(part) {
    const length = this.length + part.length;
    if (length > this.values.length) {
      const grown = new this.values.constructor(Math.max(length, 2 * this.values.length));
      grown.set(this.values.subarray(0, this.length));
      this.values = grown;
    }
    this.values.set(part, this.length);
    this.length = length;
  }
}

function decoded(text, Type) {
  const bytes = atob(text);
  const read = new Uint8Array(bytes.length);
  for (let index = 0; index < bytes.length; index++) read[index] = bytes.charCodeAt(index);
  return new Type(read.buffer);
}

const shifted = (numbers, by) => numbers.map((number) => number + by);

class PatchStore {
  constructor(videos, scores) {
    this.videos = videos;
    this.places = new Map(videos.map((video, place) => [video.key, place]));
    // First patch and number of patches of each video that was loaded.
    this.ranges = new Map();
    this.groups = [];
    this.patch = {
      window: new Column(Uint32Array),
      group: new Column(Uint32Array),
      gtBytes: new Column(Uint32Array),
      x: new Column(Uint16Array),
      y: new Column(Uint16Array),
    };
    this.window = { number: new Column(Uint32Array), time: new Column(Float32Array) };
    this.scores = Object.fromEntries(scores.map((name) => [name, new Column(Float32Array)]));
    this.pictures = [];
    this.sorted = { of: "", patches: null };
  }

  get count() {
    return this.patch.window.length;
  }

  add(head, columns) {
    const place = this.places.get(head.key);
    if (place === undefined || this.ranges.has(place)) return;
    const read = {
      window: shifted(decoded(columns.window, Uint32Array), this.window.number.length),
      group: shifted(Uint32Array.from(decoded(columns.group, Uint16Array)), this.groups.length),
      gtBytes: decoded(columns.gtBytes, Uint32Array),
      x: decoded(columns.x, Uint16Array),
      y: decoded(columns.y, Uint16Array),
    };
    this.ranges.set(place, [this.count, head.patches]);
    for (const name in this.patch) this.patch[name].append(read[name]);
    this.window.number.append(decoded(columns.number, Uint32Array));
    this.window.time.append(decoded(columns.time, Float32Array));
    for (const name in this.scores) this.scores[name].append(decoded(columns.scores[name], Float32Array));
    const { start, rest } = columns.pictures;
    for (const name of rest) this.pictures.push(name === null ? "" : start + name);
    for (const group of head.groups) this.groups.push({ ...group, place, area: head.area });
    this.sorted.of = "";
  }

  // A patch as people see it.
  describe(patch) {
    const window = this.patch.window.values[patch];
    const group = this.groups[this.patch.group.values[patch]];
    const number = this.window.number.values[window];
    const file = (address) => address.replace("{}", String(number).padStart(6, "0"));
    const [x, y] = [this.patch.x.values[patch], this.patch.y.values[patch]];
    const [left, top, width, height] = group.area || [];
    return {
      patch, number, x, y,
      ...group,
      video: this.videos[group.place],
      time: this.window.time.values[window],
      gtBytes: this.patch.gtBytes.values[patch],
      files: Object.fromEntries(group.files.map(([kind, address]) => [kind, file(address)])),
      picture: group.area ? this.pictures[window] : "",
      // Shares of the picture, which shows the active area.
      region: [(x - left) / width, (y - top) / height, group.width / width, group.height / height],
    };
  }

  // A measure of a patch: a score of its window, or how many bits of GT file there are for a pixel.
  measure(name) {
    const windows = this.patch.window.values;
    if (this.scores[name]) return (patch) => this.scores[name].values[windows[patch]];
    const pixels = this.groups.map((group) => group.width * group.height);
    return (patch) => (8 * this.patch.gtBytes.values[patch]) / pixels[this.patch.group.values[patch]];
  }

  // The lowest and the highest value.
  extent(name) {
    const measure = this.measure(name);
    let [lowest, highest] = [Infinity, -Infinity];
    for (let patch = 0; patch < this.count; patch++) {
      const value = measure(patch);
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    }
    return [lowest, highest];
  }

  // The patches that match, in order. Each change of a filter is one pass; they are sorted when the order changes.
  find({ isVideo, category, format, ranges, sort, isLowestFirst }) {
    const matching = Uint8Array.from(this.groups, (group) =>
      (!category || group.category === category) &&
      (!format || group.format === format) &&
      isVideo(this.videos[group.place]));
    const limits = ranges.map(([name, lowest, highest]) => [this.measure(name), lowest, highest]);
    const order = this.inOrder(sort, isLowestFirst);
    const found = new Uint32Array(order.length);
    let count = 0;
    for (const patch of order) {
      if (!matching[this.patch.group.values[patch]]) continue;
      // A score that was not measured is in no range.
      if (limits.every(([measure, lowest, highest]) => measure(patch) >= lowest && measure(patch) <= highest)) {
        found[count++] = patch;
      }
    }
    return found.subarray(0, count);
  }

  inOrder(sort, isLowestFirst) {
    const of = `${sort} ${isLowestFirst}`;
    if (this.sorted.of !== of) {
      const patches = this.byVideo();
      this.sorted = { of, patches: sort ? sortedBy(patches, this.measure(sort), isLowestFirst) : patches };
    }
    return this.sorted.patches;
  }

  // By video and time, in whatever order the videos were loaded.
  byVideo() {
    const patches = new Uint32Array(this.count);
    let next = 0;
    for (const place of [...this.ranges.keys()].sort((one, other) => one - other)) {
      const [first, count] = this.ranges.get(place);
      for (let index = 0; index < count; index++) patches[next++] = first + index;
    }
    return patches;
  }
}

// Sorts by a measure, then by position; what was not measured is last. A number of 53 bits holds the measure's bits in
// their order, then the position, and is sorted without a function, which takes a seventh of the time.
function sortedBy(patches, measure, isLowestFirst) {
  const count = patches.length;
  const bits = new Uint32Array(Float32Array.from(patches, measure).buffer);
  const positions = 2 ** Math.max(21, Math.ceil(Math.log2(count + 1)));
  const coarser = positions / 2 ** 21;
  const keys = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    let key = bits[index] & 0x80000000 ? ~bits[index] >>> 0 : (bits[index] | 0x80000000) >>> 0;
    const isMissing = (bits[index] & 0x7fffffff) > 0x7f800000;
    if (!isLowestFirst) key = 0xffffffff - key;
    keys[index] = Math.floor((isMissing ? 0xffffffff : key) / coarser) * positions + index;
  }
  keys.sort();
  return Uint32Array.from(keys, (key) => patches[key % positions]);
}
