import { connect, type Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { textOf, wrongBody } from './identity.ts'
import { BUFFER_BYTES } from './mesh-file.ts'
import { type Head, MessageReader } from './message-reader.ts'
import type { HeadSizes, Plan } from './plan.ts'

type Random = () => number

/** What a client knows of a request. */
export interface Outcome {
  plan: Plan
  /** 0: no whole answer came, and that was lawful: somebody left. */
  status: number
  /** Bytes of the answer's body as they came. */
  bytes: number
  /** It was sent ahead, and the connection ended: the sidecar must have told that too many answers waited. */
  isFlood?: boolean
}

/** Without a byte for so long, a client takes its answer for lost. */
const PATIENCE = 30_000
const DEPTHS = [1, 1, 1, 2, 3, 6, 16]

/**
 * Sends what is planned over one connection, in pieces, several at once or one by one, and looks closely at what comes. One of a crowd (it
 * has `sizes`) sends one by one, each whole, and stays to the end.
 */
export async function drive(
  via: { port: number; name: string },
  plan: () => Plan | undefined,
  sizes: HeadSizes | undefined,
  random: Random,
  outcomes: Map<number, Outcome>,
  shout: (problem: string) => void,
): Promise<void> {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!
  const alike = sizes !== undefined
  const depth = alike ? 1 : pick(DEPTHS)
  const slow = !alike && random() < 0.15
  /** It leaves when so many bytes have come or gone. */
  let patience = !alike && random() < 0.1 ? random() ** 2 * 200_000 : Number.POSITIVE_INFINITY
  const waiting: Plan[] = []
  let left = false
  let closed = false
  /** Why the sidecar may close the connection. */
  let over = false
  let wake = () => {}
  const socket = connect({ port: via.port, host: '127.0.0.1', noDelay: true })

  const reader = new MessageReader('answer', {
    onHead(head) {
      if (/^HTTP\/1\.1 1/.test(head.line)) {
        const plan = waiting[0]
        if (plan === undefined || head.fields.get('link') !== `<${plan.id}>`)
          shout(`${plan?.id}: early hint of another`)
      } else if (waiting.length === 0) shout(`an answer that nobody waits for: ${head.line}`)
    },
    onMessage(head, body, trailers) {
      const plan = waiting.shift()
      if (plan === undefined) return
      const status = Number(head.line.split(' ')[1])
      const problem = wrongAnswer(plan, status, head, body, trailers)
      if (problem !== undefined) shout(`${plan.method} ${plan.name} ${plan.id} (${status}): ${problem}`)
      const local = !head.fields.has('x-id')
      if (head.fields.get('connection') === 'close' || ((plan.kind.early === true || local) && plan.size > 0))
        over = true
      if (plan.kind.local === true) sizes?.set(via.name + plan.name, head.bytes)
      outcomes.set(plan.id, { plan, status, bytes: body.length })
      wake()
    },
    onWrong(what) {
      shout(`${waiting[0]?.name} ${waiting[0]?.id}: no HTTP: ${what}`)
      left = true
      socket.destroy()
    },
  })
  reader.nextIsHead = () => waiting[0]?.method === 'HEAD'

  const spend = (bytes: number) => {
    patience -= bytes
    if (patience >= 0 || left) return
    left = true
    pick([() => socket.destroy(), () => socket.resetAndDestroy(), () => socket.end()])()
  }
  socket.setTimeout(PATIENCE, () => {
    shout(
      `${waiting[0]?.name} ${waiting[0]?.id}: no answer (${reader.progress}), depth ${depth}, size ${waiting[0]?.size}`,
    )
    left = true
    socket.destroy()
  })
  socket.on('data', chunk => {
    reader.push(chunk)
    spend(chunk.length)
    if (!slow || random() < 0.7) return
    socket.pause()
    setTimeout(() => socket.resume(), random() * 15)
  })
  socket.on('error', () => {})
  const gone = new Promise<void>(resolve =>
    socket.on('close', () => {
      closed = true
      reader.end()
      const [first] = waiting
      let isFlood = false
      if (first !== undefined && !left) {
        const lawful = over || first.kind.mayBeCut === true || (first.kind.early === true && first.size > 0)
        isFlood = !lawful && depth > 1
        if (!lawful && !isFlood)
          shout(`${first.name} ${first.id}: the connection closed before its answer (${reader.progress})`)
      }
      for (const plan of waiting)
        outcomes.set(plan.id, { plan, status: 0, bytes: 0, isFlood: isFlood && plan === first })
      wake()
      resolve()
    }),
  )

  while (!closed && !left) {
    const batch: Plan[] = []
    for (let count = 1 + Math.floor(random() * depth); count > 0; count--) {
      const next = plan()
      if (next !== undefined) batch.push(next)
    }
    if (batch.length === 0) break
    waiting.push(...batch)
    const bytes = batch.length === 1 ? batch[0]!.bytes : Buffer.concat(batch.map(plan => plan.bytes))
    if (alike) socket.write(bytes)
    else await writeInPieces(socket, bytes, random, spend)
    const enough = random() < 0.5 ? 0 : Math.floor(random() * depth)
    while (waiting.length > enough && !closed && !left) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  while (waiting.length > 0 && !closed && !left) {
    await new Promise<void>(resolve => {
      wake = resolve
    })
  }
  if (!left) {
    left = true
    if (random() < 0.5) socket.end()
    else socket.destroy()
  }
  await gone
}

async function writeInPieces(
  socket: Socket,
  bytes: Buffer,
  random: Random,
  spend: (bytes: number) => void,
): Promise<void> {
  const cuts = random() < 0.5 ? [] : Array.from({ length: 1 + random() * 5 }, () => Math.floor(random() * bytes.length))
  let at = 0
  for (const end of [...cuts.sort((a, b) => a - b), bytes.length]) {
    if (socket.destroyed) return
    socket.write(bytes.subarray(at, end))
    spend(end - at)
    at = end
    if (end === bytes.length) return
    if (random() < 0.6) await new Promise(resolve => setImmediate(resolve))
    else await new Promise(resolve => setTimeout(resolve, random() * 4))
  }
}

/** What says that this is not the answer of the request; undefined: nothing does. */
function wrongAnswer(
  plan: Plan,
  status: number,
  { fields }: Head,
  body: Buffer,
  trailers: ReadonlyMap<string, string>,
): string | undefined {
  const id = String(plan.id)
  for (const name of ['x-echoed', 'x-mutated']) {
    const there = fields.get(name)
    if (there !== id && !(there === undefined && !fields.has('x-id'))) return `${name} is ${there}`
  }
  const tooLarge = plan.name === 'buffered' && plan.size > BUFFER_BYTES
  const right = tooLarge
    ? status === 413
    : (status === 200 && plan.name !== 'absent') || plan.kind.mayBe.includes(status)
  if (!right || (status === 413 && !tooLarge)) return `not its status: ${body.toString('latin1', 0, 200)}`
  if (!fields.has('x-id')) return wrongLocalReply(plan, status, body)
  if (plan.kind.local === true) return 'an upstream answered'
  if (fields.get('x-id') !== id) return `x-id is ${fields.get('x-id')}`
  if (fields.get('x-size') !== String(plan.answerSize)) return `x-size is ${fields.get('x-size')}`
  const text = fields.get('x-text') ?? ''
  if (text !== textOf(plan.id, 'answered', plan.answerText)) return `x-text is ${text.slice(0, 200)}`
  const trailer = trailers.get('x-trailer') ?? id
  if (trailer !== id) return `x-trailer is ${trailer}`
  if (plan.method === 'HEAD' || status === 204 || status === 304) return undefined
  const packed = fields.get('content-encoding') === 'gzip'
  return wrongBody(plan.id, 'answered', plan.answerSize, packed ? gunzipSync(body) : body)
}

function wrongLocalReply({ id, method, name, kind }: Plan, status: number, body: Buffer): string | undefined {
  if (status === 200 && kind.local !== true) return `a local reply for ${name}`
  const text = body.toString('latin1')
  const begin = `local ${status} of ${id} `
  return method === 'HEAD' || text.startsWith(begin) ? undefined : `the body is ${JSON.stringify(text.slice(0, 200))}`
}
