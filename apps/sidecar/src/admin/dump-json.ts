/** JSON as Envoy's admin prints it: indented by one blank, a line end at the end. */
export function dumpJson(value: object): string {
  return `${JSON.stringify(value, null, 1)}\n`
}
