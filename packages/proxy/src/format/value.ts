/** A value as a JSON log writes it; undefined: there is none. */
export type Value = string | number | JsonText | undefined

/** A value that is neither text nor number, as JSON. */
export interface JsonText {
  json: string
}
