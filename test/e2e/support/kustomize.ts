// `kubectl kustomize` of manifests/ and of kustomizations that users write around them.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MANIFESTS } from '../../support/manifests.ts'
import { run } from './installation.ts'

/** A user's kustomization: a resource and a component of manifests/, other fields, and an edit of a file there. */
export interface UserKustomization {
  readonly resource: string
  readonly component?: string
  readonly fields?: Readonly<Record<string, unknown>>
  readonly edit?: { readonly file: string; readonly from: string; readonly to: string }
}

/** Builds the kustomization with a copy of manifests/. */
export async function build(user: UserKustomization): Promise<string> {
  const { resource, component, fields, edit } = user

  const folder = await mkdtemp(join(tmpdir(), 'flux-metrics-e2e-'))
  try {
    await cp(MANIFESTS, join(folder, 'manifests'), { recursive: true })
    if (edit !== undefined) {
      const path = join(folder, 'manifests', edit.file)
      await writeFile(path, (await readFile(path, 'utf8')).replace(edit.from, edit.to))
    }
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [`manifests/${resource}`],
      components: component === undefined ? [] : [`manifests/components/${component}`],
      ...fields,
    }
    await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
    return await run(['kustomize', folder])
  } finally {
    await rm(folder, { recursive: true })
  }
}
