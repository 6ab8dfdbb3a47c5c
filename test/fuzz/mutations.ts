/** Whole numbers in [0, below), the same for the same seed (xorshift32). */
export type Dice = (below: number) => number;

export function dice(seed: number): Dice {
  // Spread first: seeds that follow each other shall not begin alike.
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export function pick<T>(roll: Dice, choices: readonly [T, ...T[]]): T {
  return choices[roll(choices.length)] ?? choices[0];
}

/** One to four changes: a byte turned, a piece cut out, doubled or moved, or a word of the format put in. */
export function mutate(bytes: Buffer, roll: Dice, words: readonly [string, ...string[]]): Buffer {
  let result = Buffer.from(bytes);
  for (let changes = 1 + roll(4); changes > 0; changes -= 1) {
    const at = roll(result.length + 1);
    const end = Math.min(result.length, at + 1 + roll(24));
    const [before, piece, after] = [result.subarray(0, at), result.subarray(at, end), result.subarray(end)];
    switch (roll(5)) {
      case 0:
        result = Buffer.concat([before, Buffer.from([roll(256)]), result.subarray(at + 1)]);
        break;
      case 1:
        result = Buffer.concat([before, after]);
        break;
      case 2:
        result = Buffer.concat([before, piece, piece, after]);
        break;
      case 3:
        result = Buffer.concat([before, after, piece]);
        break;
      default:
        result = Buffer.concat([before, Buffer.from(pick(roll, words)), result.subarray(at)]);
    }
  }
  return result;
}
