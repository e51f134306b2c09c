// The range of Kubernetes versions is the same wherever it is named, and docs/COMPATIBILITY.md has a state for each version of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { enumerate } from '#serving/text.ts'
import { DEFAULT_KUBERNETES } from '../../webhook/cli/input/kubernetes-flag.ts'
import { parseYaml, readText } from '../support/manifests.ts'
import { readPage } from './pages.ts'

const [, table = ''] =
  /\n## Kubernetes\n([\s\S]*?)\n\n\|/.exec(readPage('docs/COMPATIBILITY.md')) ?? []

/** The minor versions of each row: `1.29 to 1.31, 1.33` are 29, 30, 31 and 33. */
const ROWS = [...table.matchAll(/^\| (1\.\d.*?) \| (.*) \|$/gm)].map(
  ([, versions = '', state = '']) => ({
    minors: versions.split(', ').flatMap((part) => {
      const [first = 0, last = first] = [...part.matchAll(/1\.(\d+)/g)].map(([, minor]) =>
        Number(minor),
      )
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    }),
    state,
  }),
)

const MINORS = ROWS.flatMap(({ minors }) => minors)
const RUN = ROWS.filter(({ state }) => state.startsWith('run')).flatMap(({ minors }) => minors)
const [oldest, newest] = [Math.min(...MINORS), Math.max(...MINORS)]

test('the page has a row for each version, from the newest to the oldest', () => {
  const all = Array.from({ length: newest - oldest + 1 }, (_, index) => newest - index)
  assert.deepEqual(
    MINORS.toSorted((a, b) => b - a),
    all,
  )
})

test('the oldest is that of the chart, the newest that of the command line, and README names all that were run', () => {
  const { kubeVersion } = v.parse(
    v.object({ kubeVersion: v.string() }),
    parseYaml(readText('chart/Chart.yaml'))[0],
  )
  assert.equal(kubeVersion, `>=1.${oldest}.0-0`)
  assert.equal(DEFAULT_KUBERNETES, `1.${newest}`)
  const run = RUN.toSorted((a, b) => a - b).map((minor) => `1.${minor}`)
  assert.ok(
    readPage('README.md').includes(
      `Kubernetes 1.${oldest} or later ([tested](docs/COMPATIBILITY.md) on ${enumerate(run)})`,
    ),
  )
  assert.ok(readPage('docs/install/KUSTOMIZE.md').includes(`Kubernetes 1.${oldest} or later`))
})

test('the kustomization of KUSTOMIZE.md has the images that its reader has pushed', () => {
  const page = readPage('docs/install/KUSTOMIZE.md')
  const [, registry = 'none'] = /^\$ REGISTRY=(\S+)$/m.exec(page) ?? []
  const names = [...page.matchAll(/newName: ([^,]+)/g)].map(([, name]) => name)
  assert.deepEqual(names, [`${registry}/flux-metrics-webhook`, `${registry}/flux-metrics-sidecar`])
})
