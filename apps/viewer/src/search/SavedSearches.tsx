import { parseTypedQuery } from '@hopscope/model'
import { useState } from 'react'
import { linkTo } from '../shared/navigation.ts'
import { parseUrl } from '../url.ts'
import { forgetSearch, saveSearch, useSavedSearches } from './saved-searches.ts'

/** Searches with a name, as links; the query itself is the name that is offered. */
export function SavedSearches({ url, q }: { url: string; q: string }) {
  const saved = useSavedSearches()
  const [name, setName] = useState<string>()
  const isSaved = saved.some(search => search.url === url)
  const save = () => {
    if (name?.trim()) saveSearch({ name: name.trim(), url })
    setName(undefined)
  }
  const canSave = q !== '' && !isSaved && parseTypedQuery(q).problems.length === 0
  if (saved.length === 0 && !canSave) return null
  return (
    <ul className="saved" aria-label="Saved searches">
      {saved.map(search => {
        const [path = '', parameters = ''] = search.url.split('?')
        return (
          <li key={search.name}>
            <a {...linkTo(parseUrl(path, parameters))} aria-current={search.url === url ? 'true' : undefined}>
              {search.name}
            </a>
            <button type="button" className="quiet" onClick={() => forgetSearch(search.name)}>
              <span aria-hidden="true">✕</span>
              <span className="sr-only">Forget {search.name}</span>
            </button>
          </li>
        )
      })}
      {canSave && name === undefined && (
        <li>
          <button type="button" className="quiet save" onClick={() => setName(q)}>
            ☆ Save this search
          </button>
        </li>
      )}
      {name !== undefined && (
        <li>
          <form
            onSubmit={event => {
              event.preventDefault()
              save()
            }}
          >
            <input
              // biome-ignore lint/a11y/noAutofocus: it stands where the button was that asked for it
              autoFocus
              aria-label="Name of this search"
              value={name}
              onChange={event => setName(event.target.value)}
              onKeyDown={event => event.key === 'Escape' && setName(undefined)}
            />
            <button type="submit">Save</button>
          </form>
        </li>
      )}
    </ul>
  )
}
