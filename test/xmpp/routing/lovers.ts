import { Verona } from './verona.ts';

/** Two peers that are connected, with a client each; neither user knows the other yet. */
export function lovers() {
  const verona = new Verona();
  const romeo = verona.peer('romeo@montague.lit');
  const juliet = verona.peer('juliet@capulet.lit');
  const orchard = romeo.client('orchard');
  const balcony = juliet.client('balcony');
  verona.connect(romeo, juliet);
  return { verona, romeo, juliet, orchard, balcony };
}
