/** Values of `$V`, `${V}`, `${V:-default}`, `${V-default}`, `${V:?message}`, `${V?message}`, `$$`, as compose has them. */
export type Lookup = (name: string) => string | undefined

const VARIABLE = /\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?])([^}]*))?\})/g

/** Throws an Error whose message says what is missing. */
export function interpolate(text: string, lookup: Lookup): string {
  return text.replace(VARIABLE, (_whole, bare?: string, braced?: string, operator?: string, operand = '') => {
    const name = bare ?? braced
    if (name === undefined) return '$'
    const value = lookup(name)
    const unset = value === undefined || (operator?.startsWith(':') === true && value === '')
    if (!unset) return value
    if (operator?.endsWith('-')) return operand
    if (operator?.endsWith('?')) throw new Error(`variable ${name} is required: ${operand || 'it is not set'}`)
    return ''
  })
}
