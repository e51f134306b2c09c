// components/guard on a cluster: writes under the identity of the webhook.
import { run, WEBHOOK, WEBHOOK_NAMESPACE } from './installation.ts'
import { kubectl } from './kubectl.ts'

type Patch = readonly { readonly op: string; readonly path: string; readonly value?: unknown }[]

const BUNDLE = 'Cg=='
const UNLABELLED: Patch = [{ op: 'remove', path: '/metadata/labels/flux-metrics~1ca-bundle' }]
const ANNOTATED: Patch = [{ op: 'add', path: '/metadata/annotations/a', value: 'b' }]
const ADOPTED: Patch = [
  {
    op: 'add',
    path: '/metadata/ownerReferences',
    value: [{ apiVersion: 'v1', kind: 'Namespace', name: 'default', uid: 'u' }],
  },
]

function replace(path: string, value: unknown): Patch {
  return [{ op: 'replace', path, value }]
}

/** The objects to which the webhook writes, with a patch that it needs, and patches that it does not. */
export const GUARDED: readonly {
  readonly object: string
  readonly allowed: Patch
  readonly refused: readonly Patch[]
}[] = [
  {
    object: `mutatingwebhookconfiguration/${WEBHOOK}`,
    allowed: replace('/webhooks/0/clientConfig/caBundle', BUNDLE),
    refused: [
      replace('/webhooks/0/failurePolicy', 'Fail'),
      replace('/webhooks/0/rules/0/resources', ['*']),
      replace('/webhooks/0/objectSelector', {}),
      replace('/webhooks/1/namespaceSelector', {}),
      replace('/webhooks/1/timeoutSeconds', 30),
      replace('/webhooks/0/clientConfig/service/namespace', 'default'),
      [
        ...replace('/webhooks/0/clientConfig/caBundle', BUNDLE),
        ...replace('/webhooks/0/name', 'a.b.c'),
      ],
      [{ op: 'remove', path: '/webhooks/1' }],
      UNLABELLED,
      ANNOTATED,
      ADOPTED,
    ],
  },
  {
    object: 'apiservice/v1beta2.custom.metrics.k8s.io',
    allowed: replace('/spec/caBundle', BUNDLE),
    refused: [
      replace('/spec/service/namespace', 'kube-system'),
      replace('/spec/versionPriority', 1),
      [
        { op: 'remove', path: '/spec/caBundle' },
        { op: 'add', path: '/spec/insecureSkipTLSVerify', value: true },
      ],
      UNLABELLED,
      ANNOTATED,
      ADOPTED,
    ],
  },
]

/** Sends a JSON patch as the webhook's service account. Returns the refusal; empty if the API server accepts it. */
export async function patchAsWebhook(object: string, patch: Patch): Promise<string> {
  const account = `--as=system:serviceaccount:${WEBHOOK_NAMESPACE}:${WEBHOOK}`
  const patchArgument = `--patch=${JSON.stringify(patch)}`
  const { code, stderr } = await kubectl([account, 'patch', object, '--type=json', patchArgument])
  return code === 0 ? '' : stderr.trim()
}

/** What the API server found wrong with the expressions of our policies, such as a field that the kind does not have. */
export async function policyWarnings(): Promise<readonly unknown[]> {
  const selector = '--selector=app.kubernetes.io/part-of=flux-metrics'
  const found = '-o=jsonpath={.items[*].status.typeChecking.expressionWarnings}'
  const text = await run(['get', 'validatingadmissionpolicies', selector, found])
  return text === '' ? [] : [text]
}
