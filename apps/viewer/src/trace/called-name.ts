import type { HopTable, SpanTable } from '@hopscope/model/columns'

/**
 * Whom a call was made to, by the caller's word, when that is not who answered: a second name of the callee, or a service
 * between them that sends no spans but passes headers on. Into the strings; -1 where the names agree, or one holds the other
 * (`outbound|8080||shop.default` for shop).
 *
 *     a  client  ->b          a → c, called b
 *       c  server
 */
export function calledName(table: SpanTable, hops: HopTable, hop: number): number {
  const call = hops.call[hop]!
  const attempt = hops.attempts.client[hops.attemptAt[hop + 1]! - 1]!
  if (call < 0 || hops.server[hop]! < 0) return -1
  const named = attempt >= 0 && table.peer[attempt]! >= 0 ? table.peer[attempt]! : table.peer[call]!
  const callee = hops.callee[hop]!
  if (named < 0 || callee < 0 || named === callee) return -1
  const [a, b] = [table.strings[named]!.toLowerCase(), table.strings[callee]!.toLowerCase()]
  return a.includes(b) || b.includes(a) ? -1 : named
}
