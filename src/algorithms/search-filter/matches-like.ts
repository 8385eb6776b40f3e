/**
 * Whether a text matches a pattern of LIKE: `%` is any text, `_` any character, and a backslash a backslash, as in MLflow. It
 * goes back to the last `%` only, so that no pattern can keep it busy for longer than text times pattern.
 */
export function matchesLike(text: string, pattern: string): boolean {
  let [at, inPattern] = [0, 0]
  let [retryAt, retryInPattern] = [0, -1]
  while (at < text.length) {
    const wanted = pattern[inPattern]
    if (wanted === '%') {
      retryInPattern = ++inPattern
      retryAt = at
    } else if (wanted === '_') {
      at += lengthAt(text, at)
      inPattern++
    } else if (wanted === text[at]) {
      at++
      inPattern++
    } else if (retryInPattern < 0) return false
    else {
      inPattern = retryInPattern
      retryAt += lengthAt(text, retryAt)
      at = retryAt
    }
  }
  while (pattern[inPattern] === '%') inPattern++
  return inPattern === pattern.length
}

/** How many units of UTF-16 the character takes that begins here. */
function lengthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}
