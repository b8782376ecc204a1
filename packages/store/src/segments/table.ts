type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array
type ColumnType =
  | Uint8ArrayConstructor
  | Uint16ArrayConstructor
  | Uint32ArrayConstructor
  | Int32ArrayConstructor
  | Float64ArrayConstructor

type ColumnOf<T> = T extends new (length: number) => infer C ? C : never

const bufferOf = (column: Column): ArrayBuffer => column.buffer as ArrayBuffer

/**
 * Rows as typed columns of one length that grow together. Growing replaces the columns: take them from `columns` again
 * after `reserve`. Memory that is not needed any more is given back at once, or goes to another table: waiting to be
 * collected, it would bring about collections of the whole heap. What stands beyond `length` is of no meaning.
 */
export class Table<T extends Record<string, ColumnType>> {
  columns: { [K in keyof T]: ColumnOf<T[K]> }
  length = 0
  #capacity: number
  #types: T

  /** `old`: a table of the same types that nobody reads any more. Its memory is this one's from now on, and it is empty. */
  constructor(types: T, capacity: number, old?: Table<T>) {
    this.#types = types
    this.#capacity = old === undefined ? capacity : old.#capacity
    this.columns = this.#allocate(this.#capacity, old)
  }

  reserve(more: number): void {
    if (this.length + more <= this.#capacity) return
    this.#capacity = Math.max(this.length + more, Math.ceil(this.#capacity * 1.5))
    const columns: Record<string, Column> = {}
    for (const name in this.#types) {
      const type = this.#types[name]!
      const buffer = bufferOf(this.columns[name]!)
      columns[name] = new type(buffer.transfer(this.#capacity * type.BYTES_PER_ELEMENT))
    }
    this.columns = columns as { [K in keyof T]: ColumnOf<T[K]> }
  }

  /** Gives its memory back. Whoever still reads a column finds it empty. */
  free(): void {
    this.length = 0
    for (const name in this.#types) bufferOf(this.columns[name]!).transfer(0)
  }

  #allocate(capacity: number, old?: Table<T>): { [K in keyof T]: ColumnOf<T[K]> } {
    const columns: Record<string, Column> = {}
    for (const name in this.#types) {
      const type = this.#types[name]!
      columns[name] = old === undefined ? new type(capacity) : new type(bufferOf(old.columns[name]!).transfer())
    }
    if (old !== undefined) old.length = 0
    return columns as { [K in keyof T]: ColumnOf<T[K]> }
  }

  /** The bytes of rows from `first` on, column after column. */
  *bytes(first: number): Generator<Uint8Array> {
    for (const name in this.#types) {
      const column = this.columns[name] as Column
      const { BYTES_PER_ELEMENT: width } = column
      yield new Uint8Array(column.buffer, column.byteOffset + first * width, (this.length - first) * width)
    }
  }

  /** Bytes of one row in all columns. */
  get width(): number {
    let width = 0
    for (const name in this.#types) width += this.#types[name]!.BYTES_PER_ELEMENT
    return width
  }

  /** Appends `count` rows that `bytes` gave, from `source` at `at`; returns where they end. */
  append(count: number, source: Buffer, at: number): number {
    this.reserve(count)
    for (const name in this.#types) {
      const column = this.columns[name] as Column
      const { BYTES_PER_ELEMENT: width } = column
      const target = new Uint8Array(column.buffer, column.byteOffset + this.length * width, count * width)
      target.set(source.subarray(at, at + count * width))
      at += count * width
    }
    this.length += count
    return at
  }
}
