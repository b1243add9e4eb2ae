import { colourVariables } from './colours.ts';

/** The style sheet of the report. Print is light, in black on white, and shows no controls. */
export function pageStyle(): string {
  return `:root{color-scheme:light dark;${colourVariables('light')}}
@media screen and (prefers-color-scheme:dark){:root{${colourVariables('dark')}}}
${RULES}`;
}

const RULES = `*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,
"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
main,header,footer{max-width:768px;margin:0 auto;padding:0 24px}
header{padding-top:40px}
footer{padding-bottom:48px;color:var(--soft);font-size:14px}
h1{font-size:30px;line-height:1.2;margin:4px 0 6px;letter-spacing:-.01em}
h2{font-size:21px;margin:52px 0 4px;padding-top:14px;border-top:1px solid var(--rule)}
h3{font-size:16px;margin:28px 0 2px}
p{margin:6px 0}
a{color:var(--c1)}
.kicker{color:var(--soft);font-size:14px;margin:0}
.description{font-size:17px;color:var(--soft)}
.outcome{margin:20px 0;padding:12px 16px;border-left:5px solid var(--good);background:var(--panel)}
.outcome.bad{border-left:5px double var(--bad)}
.outcome strong{display:block;font-size:18px}
nav ul{list-style:none;margin:16px 0 0;padding:0;display:flex;flex-wrap:wrap;gap:4px 18px;
font-size:14px}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(164px,1fr));
gap:14px 24px;margin:20px 0}
dl div{min-width:0}
dt{color:var(--soft);font-size:13px}
dd{margin:0;font-weight:600}
dl .long{grid-column:1/-1}
dl .long dd,code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:13px;font-weight:400}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:4px;padding:10px 12px;
margin:6px 0;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all}
figure{margin:22px 0;break-inside:avoid}
figure h3{margin-top:0}
figcaption{color:var(--soft);font-size:13.5px}
figcaption p{margin:2px 0}
figure svg{display:block;max-width:100%;height:auto}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:8px 40px}
.pair figure{min-width:0}
svg.narrow{display:none}
.pair svg.narrow{display:block}
.faults{list-style:none;margin:2px 0;padding:0;display:flex;flex-wrap:wrap;gap:2px 18px}
.table{overflow-x:auto;margin:18px 0;max-width:100%}
.table:focus-visible,input:focus-visible{outline:2px solid var(--c1);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:14px;line-height:1.35;overflow-wrap:break-word}
caption{text-align:left;font-weight:600;padding-bottom:6px;font-size:16px}
th,td{text-align:left;padding:5px 14px 5px 0;vertical-align:top;border-bottom:1px solid var(--grid)}
th{border-bottom:1px solid var(--ink);font-weight:600;white-space:nowrap}
th:last-child,td:last-child{padding-right:2px}
td{max-width:420px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.number{text-align:right;white-space:nowrap}
.word{white-space:nowrap}
.unit{font-weight:400;color:var(--soft)}
.bar{background:linear-gradient(var(--band),var(--band)) right 14px center/
calc(var(--share)*.9) 74% no-repeat}
.met{color:var(--good);font-weight:600;white-space:nowrap}
.missed{color:var(--bad);font-weight:600;white-space:nowrap}
.none{color:var(--soft)}
.ring svg#ring-svg{width:min(100%,560px);margin:8px auto}
.ring-controls{display:flex;gap:12px;align-items:center;max-width:560px;margin:8px auto}
.ring-controls[hidden]{display:none}
.ring-controls input{flex:1;min-width:0;accent-color:var(--c1);height:28px}
#ring-peer{min-height:1.5em}
.key{list-style:none;margin:6px 0;padding:0;display:flex;flex-wrap:wrap;gap:2px 18px}
.key li{display:flex;align-items:center;gap:6px}
.key svg{width:18px;height:18px;overflow:visible}
.hatches{position:absolute;width:0;height:0}
@media (max-width:640px){
main,header,footer{padding-left:16px;padding-right:16px}
header{padding-top:24px}
h1{font-size:25px}
svg.wide{display:none}
svg.narrow{display:block}
.pair{grid-template-columns:1fr}
dl{grid-template-columns:repeat(2,minmax(0,1fr))}
table{font-size:13.5px}
th,td{padding-right:11px}
}
@media print{
@page{margin:16mm}
body{font-size:10.5pt}
main,header,footer{max-width:none;padding:0}
header{padding-top:0}
nav,.ring-controls,#ring-peer{display:none}
h2{margin-top:28px;break-after:avoid}
h3{break-after:avoid}
.table{overflow:visible}
table{font-size:9.5pt}
td{overflow-wrap:anywhere}
.short{break-inside:avoid}
.ring svg#ring-svg{width:430px}
thead{display:table-header-group}
tr{break-inside:avoid}
svg.narrow{display:none}
svg.wide,.pair svg.narrow{display:block}
.pair{grid-template-columns:1fr 1fr}
*{print-color-adjust:exact}
}
`;
