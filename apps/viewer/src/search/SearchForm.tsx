import { useState } from 'react'
import { fetchRemoteServices, fetchServices, fetchSpanNames } from '../api/queries.ts'
import { parseDuration } from '../shared/duration.ts'
import { TimeRangeFields } from '../shared/TimeRangeFields.tsx'
import { useFetch } from '../shared/use-fetch.ts'
import type { SearchQuery } from '../url.ts'

/** What is typed is a draft; Enter or Search makes it the URL. */
export function SearchForm({ query, onSubmit }: { query: SearchQuery; onSubmit: (query: SearchQuery) => void }) {
  const [draft, setDraft] = useState(query)
  const [services] = useFetch('services', fetchServices)
  const service = draft.serviceName
  const isKnown = services.data?.includes(service.toLowerCase()) ?? false
  const [spanNames] = useFetch(isKnown ? `spans ${service}` : undefined, signal => fetchSpanNames(service, signal))
  const [remotes] = useFetch(isKnown ? `remotes ${service}` : undefined, signal => fetchRemoteServices(service, signal))
  const put = (change: Partial<SearchQuery>) => setDraft(last => ({ ...last, ...change }))
  const problem = durationProblem(draft)

  return (
    <search>
      <form
        className="search-form"
        onSubmit={event => {
          event.preventDefault()
          if (problem === undefined) onSubmit(draft)
        }}
      >
        <NameField
          label="Service"
          value={draft.serviceName}
          options={services.data}
          onChange={serviceName => put({ serviceName })}
        />
        <NameField
          label="Span name"
          value={draft.spanName}
          options={spanNames.data}
          onChange={spanName => put({ spanName })}
        />
        <NameField
          label="Calls service"
          value={draft.remoteServiceName}
          options={remotes.data}
          onChange={remoteServiceName => put({ remoteServiceName })}
        />
        <label className="field wide">
          <span>Tags</span>
          <input
            value={draft.annotationQuery}
            placeholder="error and http.status_code=503"
            spellCheck={false}
            onChange={event => put({ annotationQuery: event.target.value })}
          />
        </label>
        <DurationField label="Min" value={draft.minDuration} onChange={minDuration => put({ minDuration })} />
        <DurationField label="Max" value={draft.maxDuration} onChange={maxDuration => put({ maxDuration })} />
        <TimeRangeFields time={draft.time} onChange={time => put({ time })} />
        <label className="field narrow">
          <span>Limit</span>
          <input
            type="number"
            min="1"
            max="1000"
            value={draft.limit}
            onChange={event => put({ limit: Math.max(1, Math.floor(event.target.valueAsNumber) || 1) })}
          />
        </label>
        <button type="submit" className="primary" disabled={problem !== undefined}>
          Search
        </button>
        {problem !== undefined && (
          <p className="form-problem" role="alert">
            {problem}
          </p>
        )}
      </form>
    </search>
  )
}

function NameField(props: {
  label: string
  value: string
  options: readonly string[] | undefined
  onChange: (value: string) => void
}) {
  const list = `names-${props.label.toLowerCase().replaceAll(' ', '-')}`
  return (
    <label className="field">
      <span>{props.label}</span>
      <input
        list={list}
        value={props.value}
        placeholder="any"
        autoComplete="off"
        spellCheck={false}
        onChange={event => props.onChange(event.target.value)}
      />
      <datalist id={list}>
        {props.options?.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </label>
  )
}

function DurationField(props: { label: string; value: string; onChange: (value: string) => void }) {
  const isWrong = props.value !== '' && parseDuration(props.value) === undefined
  return (
    <label className="field narrow">
      <span>{props.label}</span>
      <input
        value={props.value}
        placeholder={props.label === 'Min' ? '10ms' : '1s'}
        spellCheck={false}
        aria-invalid={isWrong}
        onChange={event => props.onChange(event.target.value)}
      />
    </label>
  )
}

function durationProblem({ minDuration, maxDuration }: SearchQuery): string | undefined {
  const min = minDuration === '' ? 0 : parseDuration(minDuration)
  const max = maxDuration === '' ? Infinity : parseDuration(maxDuration)
  if (min === undefined) return `Min “${minDuration}” is no duration. Write 10ms, 1.5s or 200us.`
  if (max === undefined) return `Max “${maxDuration}” is no duration. Write 10ms, 1.5s or 200us.`
  if (max < min) return 'Max is shorter than min.'
  return undefined
}
