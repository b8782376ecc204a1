import { useSyncExternalStore } from 'react'

/** A search with a name, kept in this browser: a link, as a colleague would be sent it. */
export interface SavedSearch {
  name: string
  /** Address below the base: `search?q=error`. */
  url: string
}

const KEY = 'hopscope.searches'
const MAX_SAVED = 50
const listeners = new Set<() => void>()
let held: readonly SavedSearch[] | undefined

export function useSavedSearches(): readonly SavedSearch[] {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => {
      held ??= parseSavedSearches(read())
      return held
    },
  )
}

/** The newest first; one of the same name is replaced. */
export function saveSearch(search: SavedSearch): void {
  write([search, ...(held ?? []).filter(({ name }) => name !== search.name)].slice(0, MAX_SAVED))
}

export function forgetSearch(name: string): void {
  write((held ?? []).filter(saved => saved.name !== name))
}

/** What is stored may be anything; only searches of ours are taken from it. */
export function parseSavedSearches(json: string): SavedSearch[] {
  try {
    const value: unknown = JSON.parse(json)
    return Array.isArray(value) ? value.filter(isSavedSearch) : []
  } catch {
    return []
  }
}

function isSavedSearch(value: unknown): value is SavedSearch {
  if (typeof value !== 'object' || value === null) return false
  const { name, url } = value as Record<string, unknown>
  return typeof name === 'string' && name !== '' && typeof url === 'string' && /^search(\?|$)/.test(url)
}

function write(searches: readonly SavedSearch[]): void {
  held = searches
  try {
    localStorage.setItem(KEY, JSON.stringify(searches))
  } catch {
    // Storage is switched off: they hold for this visit.
  }
  for (const listener of listeners) listener()
}

function read(): string {
  try {
    return localStorage.getItem(KEY) ?? '[]'
  } catch {
    return '[]'
  }
}
