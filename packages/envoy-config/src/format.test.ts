import { expect, test } from 'vitest'
import { parseFormat } from './format.ts'

test('takes operators, arguments, lengths and text apart', () => {
  expect(parseFormat('a %REQ(X-A?:PATH):10% 100%% %PROTOCOL%')).toEqual({
    ok: true,
    segments: [
      { type: 'literal', text: 'a ' },
      { type: 'operator', operator: 'REQ', args: 'X-A?:PATH', maxLength: 10 },
      { type: 'literal', text: ' 100% ' },
      { type: 'operator', operator: 'PROTOCOL' },
    ],
  })
})

test('an argument may hold percent signs and, as in Envoy, a parenthesis', () => {
  expect(parseFormat('%START_TIME(%H:%M (%Z))%')).toEqual({
    ok: true,
    segments: [{ type: 'operator', operator: 'START_TIME', args: '%H:%M (%Z)' }],
  })
})

test('an empty format has no segments', () => {
  expect(parseFormat('')).toEqual({ ok: true, segments: [] })
})

// Each was tried with Envoy 1.40, in `validate.test.ts` of the conformance suite or by hand.
const wrong: [format: string, kind: string, message: string][] = [
  ['100%', 'invalid', 'position 3'],
  ['a%b%c', 'invalid', 'position 1'],
  ['%req(x)%', 'invalid', 'position 0'],
  ['%PROTOCOL', 'invalid', 'position 0'],
  ['%REQ(x):a%', 'invalid', 'position 0'],
  ['%PROTOKOL%', 'unknown', "did you mean 'PROTOCOL'?"],
  ['%CEL(request.path)%', 'unsupported', 'does not support it yet'],
  ['%REQUESTED_SERVER_NAME(NI_FIRST)%', 'invalid', 'does not take'],
  ['%START_TIME(%Y%n)%', 'invalid', 'does not take'],
  ['%UPSTREAM_CONNECTION_ID(x)%', 'invalid', 'takes no argument'],
  ['%METADATA(X:a)%', 'invalid', 'does not take'],
  ['%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(129)%', 'invalid', 'does not take'],
  ['%COALESCE({"operators":["NOPE"]})%', 'unknown', 'NOPE'],
  ['%COALESCE({"operators":[]})%', 'invalid', 'list of operators'],
  ['%PROTOCOL(x)%', 'invalid', 'takes no argument'],
  ['%PROTOCOL:5%', 'invalid', 'takes no length'],
  ['%REQ%', 'invalid', 'needs an argument'],
  ['%REQ(a?b?c)%', 'invalid', 'one alternative'],
  ['%PATH(XX)%', 'invalid', "does not take 'XX'"],
]
test.each(wrong)('%s', (format, kind, message) => {
  const result = parseFormat(format)
  expect(result).toMatchObject({ ok: false, error: { kind } })
  expect(result.ok ? '' : result.error.message).toContain(message)
})
