import { useSyncExternalStore } from 'react'

export type Theme = 'light' | 'dark' | 'system'

const KEY = 'hopscope.theme'
const listeners = new Set<() => void>()

/** The user's choice; kept for the next visit where the browser lets us. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore(
    listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => readTheme(),
  )
  return [theme, setTheme]
}

/** Calls back when the colours on screen change, by choice or with the system. */
export function onThemeChange(listener: () => void): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  listeners.add(listener)
  dark.addEventListener('change', listener)
  return () => {
    listeners.delete(listener)
    dark.removeEventListener('change', listener)
  }
}

export function applyTheme(): void {
  const theme = readTheme()
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

let chosen: Theme | undefined

function readTheme(): Theme {
  if (chosen) return chosen
  try {
    const stored = localStorage.getItem(KEY)
    chosen = stored === 'light' || stored === 'dark' ? stored : 'system'
  } catch {
    chosen = 'system'
  }
  return chosen
}

function setTheme(theme: Theme): void {
  chosen = theme
  try {
    if (theme === 'system') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, theme)
  } catch {
    // Storage is switched off: the choice holds for this page.
  }
  applyTheme()
  for (const listener of listeners) listener()
}
