/** JSON with sorted keys, and ports that were masked: protobuf has no order of fields. */
export function inOrder(text: string): string {
  const sorted = (_: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value
  return JSON.stringify(JSON.parse(text.replace(/: (<[^>]+>)/g, ': "$1"')), sorted, 1)
}
