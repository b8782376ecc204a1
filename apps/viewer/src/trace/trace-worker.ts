// Runs off the main thread: fetches, decodes, orders and lays out a trace, then keeps its tags for the side panel.
import { TraceSession } from './trace-session.ts'
import type { WorkerRequest } from './worker-protocol.ts'

const session = new TraceSession((answer, transfer = []) => postMessage(answer, { transfer }))
addEventListener('message', (event: MessageEvent<WorkerRequest>) => void session.handle(event.data))
