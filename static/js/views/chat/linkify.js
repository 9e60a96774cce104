/** Finds addresses in a text: http, https, www and mail alone. Pure.
 *
 * Korean, Japanese and Chinese put particles and punctuation right behind an address. A link must
 * exclude them, because a longer host is another host.
 */

/** @typedef {{text: string, href?: string}} Piece */

// Characters that end an address: space, quotes, invisible ones, the wide punctuation of CJK.
const STOP = String.raw`\s<>"\u0060\p{Cc}\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff“”‘’«»…‥。、，．！？：；｡､（）［］｛｝「」『』【】〔〕〖〗〈〉《》｢｣`;
const START = new RegExp(
  String.raw`(?<![\w.+-])(?<mail>[\w.+-]{1,64}@(?:[a-z0-9-]+\.)+[a-z]{2,63})|(?<scheme>\bhttps?:\/\/)|\b(?=www\.[^${STOP}])`,
  'giu',
);
const HOST = new RegExp(String.raw`\[[\d:a-f.]+\]|(?:[a-z0-9._-]|(?![\x00-\x7f])[^${STOP}])+`, 'iuy');
const PORT = /:\d{1,5}(?!\d)/uy;
// User information before the host would let one address look like another.
const USER = /[^\s/?#]*@/uy;
const PATH = new RegExp(String.raw`[/?#][^${STOP}]*`, 'uy');
// A top-level domain has letters of one script, so another script behind it is text.
const ASCII_END = /^(?:xn--[a-z0-9-]+|[a-z]+|\d+)(?=[^\x00-\x7f])/iu;
const CJK = /^[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]+$/u;
// The top-level domains of these scripts in IANA's list; without one, the host ends before them.
const CJK_DOMAINS =
  '한국 삼성 닷컴 닷넷 中国 中國 香港 台湾 台灣 新加坡 澳門 公司 网络 网址 网站 在线 中文网 中信 商城 商店 商标 企业 集团 ' +
  '机构 组织机构 政府 政务 公益 手机 移动 我爱你 游戏 娱乐 购物 餐厅 广东 佛山 健康 新闻 书籍 信息 时尚 微博 慈善 招聘 食品 ' +
  '点看 珠宝 网店 通販 谷歌 大拿 天主教 家電 八卦 诺基亚 飞利浦 大众汽车 嘉里 嘉里大酒店 亚马逊 联通 みんな コム ' +
  'グーグル ストア セール クラウド ファッション ポイント アマゾン';
const LONGEST_FIRST = CJK_DOMAINS.split(' ').sort((a, b) => b.length - a.length);
// Particles that follow an address without a space, behind an ASCII letter or digit.
const PARTICLE =
  /(?<=[\w/=&%-])(?:(?:에서(?:는|도|만)?|으로|로|에게|에는|에도|까지|부터|에|을|를|은|는|이|가|와|과|도|의|만|랑|이랑|하고|처럼|보다|입니다|이에요|예요|이다)$|(?:を|は|が|に|で|へ|から|まで|です|という)(?=\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Han}|$).*$)/u;
const CLOSERS = new Map([[')', '('], [']', '['], ['}', '{']]);
const SENTENCE_ENDS = new Set([...'.,:;!?\'*~～〜・·']);

/**
 * Splits a text into pieces, with and without an address, without any loss.
 * @param {string} text
 * @returns {Piece[]}
 */
export function linkify(text) {
  /** @type {Piece[]} */
  const pieces = [];
  let end = 0;
  START.lastIndex = 0;
  for (let match = START.exec(text); match !== null; match = START.exec(text)) {
    const link = match.groups?.mail ? mailAt(match) : webAt(text, match);
    if (link === null) {
      START.lastIndex = match.index + Math.max(match[0].length, 1);
      continue;
    }
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push(link);
    end = match.index + link.text.length;
    START.lastIndex = end;
  }
  if (end < text.length || text === '') pieces.push({ text: text.slice(end) });
  return pieces;
}

/** @param {RegExpExecArray} match */
const mailAt = ([address]) => ({ text: address, href: `mailto:${address}` });

/**
 * @param {string} text
 * @param {RegExpExecArray} match
 * @returns {Required<Piece> | null}
 */
function webAt(text, { index, groups }) {
  const scheme = groups?.scheme ?? '';
  const start = index + scheme.length;
  const found = at(HOST, text, start);
  const host = hostOf(found);
  if (host === '' || at(USER, text, start) !== '') return null;
  let rest = '';
  if (host === found) {
    const port = at(PORT, text, start + host.length);
    rest = port + at(PATH, text, start + host.length + port.length).replace(PARTICLE, '');
  }
  const address = trimmed(scheme + host + rest);
  const href = scheme === '' ? `https://${address}` : address;
  const isWhole = scheme === '' ? /^www\.[^.]+\../iu.test(address) : address.length > scheme.length;
  return isWhole && URL.canParse(href) ? { text: address, href } : null;
}

/**
 * The match of the pattern that begins exactly at `place`.
 * @param {RegExp} pattern
 * @param {string} text
 * @param {number} place
 */
function at(pattern, text, place) {
  pattern.lastIndex = place;
  return pattern.exec(text)?.[0] ?? '';
}

/**
 * The host that a run of characters begins with; empty for none.
 * @param {string} run
 */
function hostOf(run) {
  const labels = run.replace(/\.+$/u, '').split('.');
  const last = labels[labels.length - 1];
  if (!/[^\x00-\x7f]/u.test(last)) return run;
  const first = labels.length > 1 ? 1 : 0;
  const mixed = labels.findIndex((label, index) => index >= first && ASCII_END.test(label));
  const end = mixed < 0 && first > 0 && CJK.test(last) ? labels.length - 1 : mixed;
  if (end < 0) return run;
  const domain = topDomain(labels[end]);
  return [...labels.slice(0, end), ...(domain === '' ? [] : [domain])].join('.');
}

/**
 * The top-level domain that a label begins with; empty for none.
 * @param {string} label
 */
const topDomain = (label) =>
  ASCII_END.exec(label)?.[0] ?? LONGEST_FIRST.find((domain) => label.startsWith(domain)) ?? '';

/**
 * The address without the punctuation of its sentence or unopened brackets.
 * @param {string} address
 */
function trimmed(address) {
  /** The number of unopened brackets of each kind. @type {Map<string, number>} */
  const spare = new Map();
  for (const [closer, opener] of CLOSERS) {
    spare.set(closer, occurrences(address, closer) - occurrences(address, opener));
  }
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1];
    const tooMany = spare.get(last) ?? 0;
    if (tooMany <= 0 && !SENTENCE_ENDS.has(last)) break;
    spare.set(last, tooMany - 1);
    end -= 1;
  }
  return address.slice(0, end);
}

/**
 * @param {string} text
 * @param {string} char
 */
const occurrences = (text, char) => text.split(char).length - 1;
