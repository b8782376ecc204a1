/** Without the blanks and control characters around it, as Java's `String.trim`: of Unicode's other blanks none counts. */
export function trimBlanks(text: string): string {
  let [from, to] = [0, text.length]
  while (from < to && text.charCodeAt(from) <= 0x20) from++
  while (from < to && text.charCodeAt(to - 1) <= 0x20) to--
  return text.slice(from, to)
}
