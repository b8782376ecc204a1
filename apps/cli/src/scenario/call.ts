import { Agent, request } from 'node:http'
import type { Calls } from './scenario.ts'

export interface Answer {
  /** 0: no answer came. */
  status: number
  headers: Readonly<Record<string, string>>
  body: string
  /** Milliseconds to the last byte. */
  duration: number
}

/** Makes the calls of a step; the answers of one thread after those of another. */
export async function call(base: string, calls: Calls): Promise<Answer[]> {
  return (await Promise.all(Array.from({ length: calls.threads }, () => callAsOne(base, calls)))).flat()
}

/** `parallel` at a time, in order; one connection for each of them. */
async function callAsOne(base: string, calls: Calls): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: calls.parallel })
  const answers: Answer[] = []
  let next = 0
  const worker = async () => {
    while (next < calls.count) {
      const index = next++
      answers[index] = await once(base, calls, agent)
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(calls.parallel, calls.count) }, worker))
  } finally {
    agent.destroy()
  }
  return answers
}

function once(base: string, calls: Calls, agent: Agent): Promise<Answer> {
  return new Promise(resolve => {
    const began = performance.now()
    const done = (status: number, headers: Record<string, string>, body: string) =>
      resolve({ status, headers, body, duration: performance.now() - began })
    const outgoing = request(
      `${base}${calls.path}`,
      { method: calls.method, headers: calls.headers, agent },
      incoming => {
        let body = ''
        incoming.setEncoding('utf8')
        incoming.on('data', chunk => {
          body += chunk
        })
        const headers = Object.fromEntries(
          Object.entries(incoming.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
        )
        incoming.on('end', () => done(incoming.statusCode ?? 0, headers, body))
        incoming.on('error', error => done(0, headers, error.message))
      },
    )
    outgoing.on('error', error => done(0, {}, error.message))
    outgoing.end(calls.body)
  })
}

/** A percentile (`percent` 0..100) of how long they took, by nearest rank. */
export function percentile(answers: readonly Answer[], percent: number): number {
  const sorted = answers.map(answer => answer.duration).sort((a, b) => a - b)
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? Number.NaN
}
