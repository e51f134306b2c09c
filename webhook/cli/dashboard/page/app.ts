// The page: which view the address names, its frame, and the theme.
import { type ComponentChildren, h } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Start, Subject } from '../data.ts'
import { ask, LOST } from './browser/asking.ts'
import { subjectIn } from './browser/route.ts'
import { followTheme, THEMES } from './browser/theme.ts'
import { ClusterView } from './cluster-view.ts'
import { ListView } from './list-view.ts'

export function App() {
  const [start, setStart] = useState<Start | string>()
  const hash = useHash()
  useEffect(() => {
    ask<Start>('data/start').then(setStart, () => setStart(LOST))
  }, [])
  if (start === undefined) return h('p', { class: 'first', role: 'status' }, 'Asking …')
  if (typeof start === 'string') return h('p', { class: 'first', role: 'alert' }, start)
  const subject = subjectIn(hash) ?? (hash === '#/' ? null : start.subject)
  const isList = start.hasList && subject === null
  const title = subject?.name ?? start.title ?? 'MiniClusters'
  return h(
    Frame,
    { start, subject, title },
    isList
      ? h(ListView, { key: 'list' })
      : h(ClusterView, { key: `${subject?.namespace}/${subject?.name}`, subject, title }),
  )
}

function useHash(): string {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const change = () => {
      setHash(location.hash)
      scrollTo(0, 0)
    }
    addEventListener('hashchange', change)
    return () => removeEventListener('hashchange', change)
  }, [])
  return hash
}

interface FrameProps {
  readonly start: Start
  readonly subject: Subject | null
  readonly title: string
  readonly children?: ComponentChildren
}

function Frame({ start, subject, title, children }: FrameProps) {
  useEffect(() => {
    document.title = `${title} · flux-metrics`
  }, [title])
  return [
    h(
      'header',
      { class: 'top' },
      h(
        'nav',
        { 'aria-label': 'Place' },
        h('span', { class: 'brand' }, 'flux-metrics'),
        start.hasList && [SLASH, h('a', linkTo(subject), 'MiniClusters')],
        subject !== null && [SLASH, h('span', { class: 'namespace' }, subject.namespace)],
      ),
      h(ThemeButton, {}),
    ),
    h('main', {}, children),
    h(
      'footer',
      {},
      `flux-metrics ${start.version}. This page comes from your own machine; nothing of it comes from the cluster but numbers and text.`,
    ),
  ]
}

const SLASH = h('span', { class: 'slash', 'aria-hidden': 'true' }, '/')

function linkTo(subject: Subject | null) {
  return { href: '#/', ...(subject === null ? ({ 'aria-current': 'page' } as const) : {}) }
}

/** The theme of the system, or another one while the page is open. */
function ThemeButton() {
  const [index, setIndex] = useState(0)
  const choice = THEMES[index] ?? 'auto'
  useEffect(() => followTheme(choice), [choice])
  const next = () => setIndex((index + 1) % THEMES.length)
  return h('button', { type: 'button', class: 'quiet', onClick: next }, `Theme: ${choice}`)
}
