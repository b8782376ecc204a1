import type { BodyFormat } from '../store.ts'
import type { Head } from './head.ts'
import { KernelScanner } from './kernel-scanner.ts'
import { OtlpJsonScanner } from './otlp-json-scanner.ts'
import { OtlpScanner } from './otlp-scanner.ts'
import { Proto3Scanner } from './proto3-scanner.ts'
import type { Scanner } from './scan.ts'

const SCANNERS: Record<BodyFormat, new (head: Head) => Scanner> = {
  json: KernelScanner,
  proto3: Proto3Scanner,
  otlp: OtlpScanner,
  'otlp-json': OtlpJsonScanner,
}

/** The scanners of a head, each made when a body of its format comes. */
export class Scanners {
  readonly #head: Head
  #made = new Map<BodyFormat, Scanner>()

  constructor(head: Head) {
    this.#head = head
  }

  of(format: BodyFormat): Scanner {
    let scanner = this.#made.get(format)
    if (scanner === undefined) {
      scanner = new SCANNERS[format](this.#head)
      this.#made.set(format, scanner)
    }
    return scanner
  }
}
