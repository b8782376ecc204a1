import type { TcpHealthCheck } from '@hopscope/envoy-config'
import type { Transport, TransportHandler } from '../../transport/transport.ts'
import type { ConnectOptions, Transports } from '../../transport/transports.ts'
import type { Host } from '../host.ts'
import { containsInOrder, type Probe, type ProbeListener } from './probe.ts'

const BUFFER = 1024 * 1024

/** Connects; with something to send or to hear, says it and waits for it. */
export class TcpProbe implements Probe, TransportHandler {
  readonly #host: Host
  readonly #check: TcpHealthCheck
  readonly #reuse: boolean
  readonly #transports: Transports
  readonly #connectOptions: ConnectOptions | undefined
  readonly #listener: ProbeListener
  #transport: Transport | undefined
  #connected = false
  #heard = Buffer.alloc(0)

  constructor(
    host: Host,
    check: TcpHealthCheck,
    options: { reuse: boolean; transports: Transports; connectOptions?: ConnectOptions | undefined },
    listener: ProbeListener,
  ) {
    this.#host = host
    this.#check = check
    this.#reuse = options.reuse
    this.#transports = options.transports
    this.#connectOptions = options.connectOptions
    this.#listener = listener
  }

  ask(): void {
    this.#heard = Buffer.alloc(0)
    if (this.#transport !== undefined && this.#connected) {
      this.#say()
      return
    }
    this.#connected = false
    this.#transport = this.#host.connectForCheck(this.#transports, BUFFER, this, this.#connectOptions)
  }

  giveUp(): void {
    this.close()
  }

  close(): void {
    const transport = this.#transport
    this.#transport = undefined
    transport?.destroy()
  }

  onConnect(): void {
    if (this.#transport === undefined) return
    this.#connected = true
    if (this.#check.receive.length > 0) {
      this.#say()
      return
    }
    this.close()
    this.#listener.passed(false)
  }

  onData(chunk: Buffer): void {
    if (this.#transport === undefined) return
    this.#heard = Buffer.concat([this.#heard, chunk])
    // Wrong bytes and too few of them look the same: the timeout decides.
    if (!containsInOrder(this.#heard, this.#check.receive)) return
    this.#heard = Buffer.alloc(0)
    if (!this.#reuse) this.close()
    this.#listener.passed(false)
  }

  onDrain(): void {}

  onEnd(): void {
    this.#lost()
  }

  onClose(): void {
    this.#lost()
  }

  #say(): void {
    if (this.#check.send !== undefined) this.#transport?.write(this.#check.send)
  }

  #lost(): void {
    if (this.#transport === undefined) return
    this.close()
    this.#listener.failed({ type: 'NETWORK', retriable: false, status: 0 })
  }
}
