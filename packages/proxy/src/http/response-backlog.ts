import type { Output } from '../transport/output.ts'

/**
 * The responses of one connection that have not left yet. A client that sends requests and reads nothing would fill the memory with
 * answers: while two wait no other request is taken up (Envoy's codec: `kMaxOutboundResponses`).
 */
export class ResponseBacklog {
  readonly #output: Output
  // Of the last two responses, where among all bytes they ended.
  #last = 0
  #beforeLast = 0

  constructor(output: Output) {
    this.#output = output
  }

  /** A response is complete. */
  add(): void {
    this.#beforeLast = this.#last
    this.#last = this.#output.pushed
  }

  get isFull(): boolean {
    return this.#beforeLast > this.#output.left
  }
}
