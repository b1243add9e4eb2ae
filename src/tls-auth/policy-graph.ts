import { ANY_POLICY_OID } from './object-identifier.ts';
import type { PolicyInformation, PolicyMapping, PolicyQualifier } from './policy-extension.ts';

/** What a path is valid for — RFC 5280 §6.1.6. */
export interface ValidPolicies {
  /**
   * The policies among those that the user accepts, as the trust anchor's domain names them;
   * `ANY_POLICY_OID` when it and the user leave them open.
   */
  readonly policies: readonly string[];
  /** What the last certificate says about them. */
  readonly qualifiers: readonly PolicyQualifier[];
}

/** No policy is valid. */
export const NO_VALID_POLICIES: ValidPolicies = { policies: [], qualifiers: [] };

/**
 * The valid_policy_tree of RFC 5280 §6.1.2 (a) as the valid_policy_graph of RFC 9618: where the
 * tree repeats a policy under each parent, which lets it grow exponentially in the length of the
 * path, one node has several parents. Nodes that no longer lead anywhere are kept until the end:
 * no step looks above the last depth but one, so only `validPolicies` must pass over them.
 */
export class PolicyGraph {
  /** The nodes of each depth by valid_policy; none at the last depth: the graph is NULL. */
  private readonly depths: Map<string, PolicyNode>[] = [
    new Map([[ANY_POLICY_OID, policyNode(ANY_POLICY_OID, [], [])]]),
  ];
  private nodeCount = 1;

  /** No policy is valid any more; once so it remains so. */
  get isNull(): boolean {
    return this.lastDepth.size === 0;
  }

  /** It has more than `policyNodesMax` nodes: its answer would cost too much. */
  get isTooLarge(): boolean {
    return this.nodeCount > policyNodesMax;
  }

  /** RFC 5280 §6.1.3 (e): a certificate without policies. */
  setNull(): void {
    this.depths.push(new Map());
  }

  /** RFC 5280 §6.1.3 (d): the policies of the next certificate, and whether anyPolicy counts. */
  addDepth(policies: readonly PolicyInformation[], anyPolicyCounts: boolean): void {
    if (this.isNull) return;
    const anyParent = this.lastDepth.get(ANY_POLICY_OID);
    const parentsByExpected = nodesByExpected(this.lastDepth);
    const depth = new Map<string, PolicyNode>();
    this.depths.push(depth);
    for (const { policy, qualifiers } of policies) {
      if (policy === ANY_POLICY_OID) continue;
      const parents = parentsByExpected.get(policy) ?? (anyParent === undefined ? [] : [anyParent]);
      if (parents.length > 0) this.add(policyNode(policy, qualifiers, parents));
    }
    const anyPolicy = policies.find(({ policy }) => policy === ANY_POLICY_OID);
    if (anyPolicy === undefined || !anyPolicyCounts) return;
    for (const [policy, parents] of parentsByExpected) {
      if (!depth.has(policy)) this.add(policyNode(policy, anyPolicy.qualifiers, parents));
    }
  }

  /** RFC 5280 §6.1.4 (b) (1): mapping is permitted. */
  map(mappings: readonly PolicyMapping[]): void {
    const anyNode = this.lastDepth.get(ANY_POLICY_OID);
    for (const [issuerPolicy, expected] of subjectPoliciesOf(mappings)) {
      const node = this.lastDepth.get(issuerPolicy);
      if (node !== undefined) {
        node.expected = expected;
      } else if (anyNode !== undefined) {
        this.add({ ...policyNode(issuerPolicy, anyNode.qualifiers, anyNode.parents), expected });
      }
    }
  }

  /** RFC 5280 §6.1.4 (b) (2): mapping is inhibited, so what is mapped is lost. */
  deleteMapped(mappings: readonly PolicyMapping[]): void {
    for (const { issuerDomainPolicy } of mappings) this.lastDepth.delete(issuerDomainPolicy);
  }

  /**
   * RFC 5280 §6.1.5 (g): what is valid of `initialPolicies`; undefined accepts every policy. None
   * is valid where the intersection is NULL.
   */
  validPolicies(initialPolicies: ReadonlySet<string> | undefined): ValidPolicies {
    const accepted = initialPolicies?.has(ANY_POLICY_OID) === true ? undefined : initialPolicies;
    const living = this.livingNodes();
    const roots = [...living].filter(isRoot);
    const anyLeaf = this.lastDepth.get(ANY_POLICY_OID);
    const policies = new Set(roots.map(({ policy }) => policy));
    // What anyPolicy of the last certificate stands for: all, or what no node stands for.
    const fromAny =
      anyLeaf === undefined
        ? []
        : [...(accepted ?? [ANY_POLICY_OID])].filter((policy) => !policies.has(policy));
    const acceptedRoots = roots.filter(({ policy }) => accepted?.has(policy) ?? true);
    const reached = descendants(acceptedRoots, this.depths, living);
    const leaves = [...this.lastDepth.values()].filter(
      (node) => reached.has(node) || (node === anyLeaf && fromAny.length > 0),
    );
    return {
      policies: [...new Set(acceptedRoots.map(({ policy }) => policy)), ...fromAny],
      qualifiers: leaves.flatMap(({ qualifiers }) => qualifiers),
    };
  }

  private get lastDepth(): Map<string, PolicyNode> {
    return this.depths.at(-1) ?? new Map();
  }

  private add(node: PolicyNode): void {
    this.lastDepth.set(node.policy, node);
    this.nodeCount++;
  }

  /** Those that lead to the last depth: the others were pruned, RFC 5280 §6.1.3 (d) (3). */
  private livingNodes(): Set<PolicyNode> {
    const living = new Set(this.lastDepth.values());
    // A set visits what is added to it meanwhile.
    for (const { parents } of living) for (const parent of parents) living.add(parent);
    return living;
  }
}

/** A node of the graph; `parents` are one depth above. */
interface PolicyNode {
  /** valid_policy */
  readonly policy: string;
  /** qualifier_set */
  readonly qualifiers: readonly PolicyQualifier[];
  readonly parents: readonly PolicyNode[];
  /** expected_policy_set */
  expected: ReadonlySet<string>;
}

function policyNode(
  policy: string,
  qualifiers: readonly PolicyQualifier[],
  parents: readonly PolicyNode[],
): PolicyNode {
  return { policy, qualifiers, parents, expected: new Set([policy]) };
}

/** In the valid_policy_node_set: a policy where the path leaves anyPolicy. */
function isRoot({ policy, parents }: PolicyNode): boolean {
  return policy !== ANY_POLICY_OID && parents.some((parent) => parent.policy === ANY_POLICY_OID);
}

function nodesByExpected(depth: ReadonlyMap<string, PolicyNode>): Map<string, PolicyNode[]> {
  const nodes = new Map<string, PolicyNode[]>();
  for (const node of depth.values()) {
    for (const policy of node.expected) {
      const others = nodes.get(policy);
      if (others === undefined) nodes.set(policy, [node]);
      else others.push(node);
    }
  }
  return nodes;
}

function subjectPoliciesOf(mappings: readonly PolicyMapping[]): Map<string, Set<string>> {
  const subjectPolicies = new Map<string, Set<string>>();
  for (const { issuerDomainPolicy, subjectDomainPolicy } of mappings) {
    const known = subjectPolicies.get(issuerDomainPolicy);
    if (known === undefined)
      subjectPolicies.set(issuerDomainPolicy, new Set([subjectDomainPolicy]));
    else known.add(subjectDomainPolicy);
  }
  return subjectPolicies;
}

/** `roots` and what lies below them, of the `living`. */
function descendants(
  roots: readonly PolicyNode[],
  depths: readonly ReadonlyMap<string, PolicyNode>[],
  living: ReadonlySet<PolicyNode>,
): Set<PolicyNode> {
  const reached = new Set(roots);
  for (const depth of depths) {
    for (const node of depth.values()) {
      if (living.has(node) && node.parents.some((parent) => reached.has(parent))) reached.add(node);
    }
  }
  return reached;
}

/** Of one path; real certificates have fewer than ten policies each. */
export const policyNodesMax = 1024;
