import type { Certificate } from '../../src/tls-auth/certificate.ts';
import type { PolicyInputs } from '../../src/tls-auth/certificate-policies.ts';
import { ANY_POLICY_OID } from '../../src/tls-auth/object-identifier.ts';

/**
 * RFC 5280 §6.1 on policies, word by word with the tree, to compare the graph with: the policies
 * of the intersection (§6.1.5 (g)), or `invalid`. Exponential in the length of the path.
 */
export function policiesByTree(
  path: readonly Certificate[],
  inputs: PolicyInputs,
): string[] | 'invalid' {
  const n = path.length;
  let tree: TreeNode | undefined = {
    policy: ANY_POLICY_OID,
    expected: [ANY_POLICY_OID],
    children: [],
  };
  let explicitPolicy = inputs.explicitPolicy === true ? 0 : n + 1;
  let policyMapping = inputs.inhibitPolicyMapping === true ? 0 : n + 1;
  let anyPolicy = inputs.inhibitAnyPolicy === true ? 0 : n + 1;
  for (const [index, { extensions, isSelfIssued }] of path.entries()) {
    const i = index + 1;
    const policies = extensions.certificatePolicies?.map(({ policy }) => policy);
    if (policies === undefined) tree = undefined;
    if (tree !== undefined && policies !== undefined) {
      tree = addPolicies(tree, i, policies, anyPolicy > 0 || (i < n && isSelfIssued));
    }
    if (explicitPolicy === 0 && tree === undefined) return 'invalid';
    const { requireExplicitPolicy, inhibitPolicyMapping } = extensions.policyConstraints ?? {};
    if (i === n) {
      if (explicitPolicy > 0) explicitPolicy--;
      if (requireExplicitPolicy === 0) explicitPolicy = 0;
      break;
    }
    if (tree !== undefined) tree = mapPolicies(tree, i, extensions, policyMapping > 0);
    if (!isSelfIssued) {
      if (explicitPolicy > 0) explicitPolicy--;
      if (policyMapping > 0) policyMapping--;
      if (anyPolicy > 0) anyPolicy--;
    }
    explicitPolicy = Math.min(explicitPolicy, requireExplicitPolicy ?? explicitPolicy);
    policyMapping = Math.min(policyMapping, inhibitPolicyMapping ?? policyMapping);
    anyPolicy = Math.min(anyPolicy, extensions.inhibitAnyPolicy ?? anyPolicy);
  }
  const found = tree === undefined ? [] : intersection(tree, n, inputs.initialPolicies);
  return explicitPolicy > 0 || found.length > 0 ? found : 'invalid';
}

interface TreeNode {
  policy: string;
  expected: string[];
  children: TreeNode[];
}

/** §6.1.3 (d). */
function addPolicies(
  tree: TreeNode,
  i: number,
  policies: readonly string[],
  anyCounts: boolean,
): TreeNode | undefined {
  const parents = nodesAt(tree, i - 1);
  for (const policy of policies.filter((one) => one !== ANY_POLICY_OID)) {
    const matches = parents.filter(({ expected }) => expected.includes(policy));
    const anyNode = parents.find((parent) => parent.policy === ANY_POLICY_OID);
    const chosen = matches.length > 0 || anyNode === undefined ? matches : [anyNode];
    for (const parent of chosen) parent.children.push(leafNode(policy));
  }
  if (policies.includes(ANY_POLICY_OID) && anyCounts) {
    for (const parent of parents) {
      for (const policy of parent.expected) {
        if (parent.children.every((child) => child.policy !== policy)) {
          parent.children.push(leafNode(policy));
        }
      }
    }
  }
  return pruned(tree, i);
}

/** §6.1.4 (b). */
function mapPolicies(
  tree: TreeNode,
  i: number,
  { policyMappings = [] }: Certificate['extensions'],
  isPermitted: boolean,
): TreeNode | undefined {
  const issuerPolicies = new Set(policyMappings.map((pair) => pair.issuerDomainPolicy));
  for (const policy of issuerPolicies) {
    const expected = policyMappings.flatMap((pair) =>
      pair.issuerDomainPolicy === policy ? [pair.subjectDomainPolicy] : [],
    );
    const nodes = nodesAt(tree, i).filter((node) => node.policy === policy);
    if (!isPermitted) {
      for (const parent of nodesAt(tree, i - 1)) {
        parent.children = parent.children.filter((child) => child.policy !== policy);
      }
      continue;
    }
    for (const node of nodes) node.expected = expected;
    if (nodes.length > 0) continue;
    const anyParent = nodesAt(tree, i - 1).find((parent) =>
      parent.children.some((child) => child.policy === ANY_POLICY_OID),
    );
    anyParent?.children.push({ policy, expected, children: [] });
  }
  return pruned(tree, i);
}

/** §6.1.5 (g): valid_policies of the nodes below anyPolicy that are left. */
function intersection(
  tree: TreeNode,
  n: number,
  initialPolicies: ReadonlySet<string> | undefined,
): string[] {
  const anyNodes = nodesOf(tree).filter(({ policy }) => policy === ANY_POLICY_OID);
  if (initialPolicies !== undefined && !initialPolicies.has(ANY_POLICY_OID)) {
    const nodeSet = new Set(anyNodes.flatMap(({ children }) => children.map((one) => one.policy)));
    for (const parent of anyNodes) {
      parent.children = parent.children.filter(
        ({ policy }) => policy === ANY_POLICY_OID || initialPolicies.has(policy),
      );
    }
    const anyParent = nodesAt(tree, n - 1).find(({ children }) =>
      children.some(({ policy }) => policy === ANY_POLICY_OID),
    );
    if (anyParent !== undefined) {
      const added = [...initialPolicies].filter((policy) => !nodeSet.has(policy)).map(leafNode);
      const others = anyParent.children.filter(({ policy }) => policy !== ANY_POLICY_OID);
      anyParent.children = [...others, ...added];
    }
  }
  const left = pruned(tree, n);
  if (left === undefined) return [];
  const leaves = nodesAt(left, n);
  const below = nodesOf(left)
    .filter(({ policy }) => policy === ANY_POLICY_OID)
    .flatMap(({ children }) => children)
    .filter((node) => node.policy !== ANY_POLICY_OID || leaves.includes(node));
  return [...new Set(below.map(({ policy }) => policy))];
}

function leafNode(policy: string): TreeNode {
  return { policy, expected: [policy], children: [] };
}

function nodesAt(node: TreeNode, depth: number): TreeNode[] {
  return depth === 0 ? [node] : node.children.flatMap((child) => nodesAt(child, depth - 1));
}

function nodesOf(node: TreeNode): TreeNode[] {
  return [node, ...node.children.flatMap(nodesOf)];
}

/** Without nodes that do not lead to `depth`; undefined is NULL. */
function pruned(node: TreeNode, depth: number): TreeNode | undefined {
  if (depth === 0) return node;
  node.children = node.children.filter((child) => pruned(child, depth - 1) !== undefined);
  return node.children.length === 0 ? undefined : node;
}
