import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type MeshState, readStates, writeState } from './mesh-state.ts'

describe('the state of a mesh', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mesh-state-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const state: MeshState = {
    pid: process.pid,
    scenario: '01-single-hop',
    detached: false,
    entry: 'http://127.0.0.1:1',
    collector: 'http://127.0.0.1:2',
    services: [],
  }
  const path = () => join(folder, `${process.pid}.json`)

  it('is replaced whole: whoever has begun to read it reads the one before to its end', () => {
    writeState(state, [folder])
    const reader = openSync(path(), 'r')
    writeState({ ...state, detached: true }, [folder])
    expect(JSON.parse(readFileSync(reader, 'utf8'))).toEqual(state)
    closeSync(reader)
    expect(readStates([folder])).toEqual([{ ...state, detached: true }])
    expect(readdirSync(folder)).toEqual([`${process.pid}.json`])
  })

  it('is not read while it is only begun', () => {
    writeFileSync(`${path()}.new`, '{ "pid":')
    expect(readStates([folder])).toEqual([])
  })

  it('is cleared away, whole or begun, when its process is gone', () => {
    // Beyond what Linux gives out (pid_max is at most 2^22).
    const gone = 2 ** 22 + 1
    writeState({ ...state, pid: gone }, [folder])
    writeFileSync(join(folder, `${gone}.json.new`), '')
    expect(readStates([folder])).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })
})
