package agent

import "strings"

// table gives values by key. A map would be filled by code when the program
// starts, which is bytes in the WebAssembly.
type table [][2]string

// of is the value of a key, or "".
func (t table) of(key string) string {
	for _, row := range t {
		if row[0] == key {
			return row[1]
		}
	}
	return ""
}

// What follows is what is known of user agents, as data, most telling first:
// nearly all browsers also carry the tokens of those that they want to be
// taken for. A token is a word of the user agent in lower case, or two words
// with a space between; see scan for what a word is.

// browser is one family. Where its own token bears no number, chromium says
// that Chromium's is its own too.
type browser struct {
	tokens, name string
	chromium     bool
	slash        bool // only with a slash and a number behind it
}

var browsers = []browser{
	{tokens: "|ucmini|uc mini", name: "UC Browser"}, // plays Opera Mini
	{tokens: "|opera mini|operamini|opios", name: "Opera Mini"},
	{tokens: "|edga|edgios|edg|edge|edgw", name: "Edge", slash: true},
	// These carry the token of Samsung's browser, which they are built on.
	{tokens: "|oculusbrowser", name: "Oculus Browser"},
	{tokens: "|picobrowser", name: "Pico Browser"},
	{tokens: "|samsungbrowser|samsung browser", name: "Samsung Internet"},
	{tokens: "|opt|opx|oprgx|opr|coast", name: "Opera"},
	{tokens: "|mms", name: "Opera", slash: true},
	{tokens: "|huaweibrowser|hbpc", name: "Huawei"},
	{tokens: "|honorbrowser|bdhonorbrowser", name: "Honor"},
	{tokens: "|miuibrowser", name: "MIUI"},
	{tokens: "|yabrowser|yaapp|yasearchbrowser|yandexsearchbrowser", name: "Yandex"},
	// The last one's number is not the browser's.
	{tokens: "|ucbrowser|ucbrowserhd|ucmobile|ucpc|uc browser", name: "UC Browser"},
	{tokens: "|ubrowser|ucweb", name: "UC Browser"},
	{tokens: "|mqqbrowser|qqbrowser|qqbrowserlite|tencenttraveler", name: "QQ Browser"},
	{tokens: "|quark|quarkpc", name: "Quark"},
	{tokens: "|heytapbrowser|oppobrowser", name: "HeyTap"},
	{tokens: "|vivobrowser", name: "Vivo"},
	{tokens: "|baiduboxapp|baidubrowser|bidubrowser|bdbrowser|bdspark|baiduhd|flyflow", name: "Baidu"},
	{tokens: "|sogoumobilebrowser|metasr|sogousearch", name: "Sogou"},
	{tokens: "|360se|360ee|360ent|360browser|qihoobrowser|qihoobrowserhd|qihu|qhbrowser|360ss|360 aphone", name: "360"},
	{tokens: "|phx|phoenixbrowser", name: "Phoenix"},
	{tokens: "|silk|cloud9", name: "Silk"},
	{tokens: "|vivaldi|viv", name: "Vivaldi", chromium: true},
	{tokens: "|brave", name: "Brave", chromium: true},
	{tokens: "|duckduckgo|ddg", name: "DuckDuckGo", chromium: true},
	{tokens: "|ecosia|ecosia ios|ecosia android", name: "Ecosia", chromium: true},
	{tokens: "|whale", name: "Whale"},
	{tokens: "|coc_coc_browser|coccocbrowser|coccoc|corom", name: "Coc Coc"},
	{tokens: "|puffin", name: "Puffin"},
	{tokens: "|alohabrowser|alohabrowserapp|alohalite|aloha|abb", name: "Aloha"},
	{tokens: "|avast|avastsecurebrowser|asw", name: "Avast"},
	{tokens: "|safer", name: "Avast", slash: true},
	{tokens: "|avg", name: "AVG"},
	{tokens: "|at", name: "AVG", slash: true},
	{tokens: "|maxthon|mxbrowser|mxios|mxnitro|myie2", name: "Maxthon"},
	{tokens: "|palemoon|pale moon", name: "Pale Moon"},
	{tokens: "|seamonkey", name: "SeaMonkey"},
	{tokens: "|librewolf", name: "LibreWolf"},
	{tokens: "|waterfox", name: "Waterfox"},
	{tokens: "|epiphany", name: "Epiphany"},
	{tokens: "|falkon|qupzilla", name: "Falkon"},
	{tokens: "|konqueror", name: "Konqueror"},
	{tokens: "|iceweasel", name: "Iceweasel"},
	{tokens: "|midori", name: "Midori"},
	{tokens: "|k-meleon", name: "K-Meleon"},
	{tokens: "|camino", name: "Camino"},
	{tokens: "|netscape|navigator", name: "Netscape"},
	{tokens: "|phantomjs", name: "PhantomJS"},
	{tokens: "|electron", name: "Electron"},
	// Browsers of few people in views of their own, lest they be taken for an
	// app's. What ends in Browser needs no row for that.
	{tokens: "|sleipnir", name: "Sleipnir", slash: true},
	{tokens: "|kiwi", name: "Kiwi"},
	{tokens: "|mint browser", name: "Mint Browser"},
	{tokens: "|qwantbrowser|qwantmobile|qwantios", name: "Qwant"},
	// GSA's views on Android have Chrome's tokens, those on iOS Safari's.
	{tokens: "|gsa|googleapp|com.google.googlemobile", name: "Google App"},
	{tokens: "|crios", name: "Chrome"},
	{tokens: "|fxios|focus|klar|focusios", name: "Firefox"},
	// The number of the first word is that of Presto's Opera up to 9; later
	// ones stay at 9.80 and tell theirs as Version/.
	{tokens: "|opera|opera mobi|opera tablet|opera mobile", name: "Opera"},
	{tokens: "|chromium", name: "Chromium"},
	{tokens: "|chromeframe", name: "Chrome", slash: true},
	{tokens: "|iemobile|msie|trident|internet explorer", name: "IE"},
	// QtWebKit's own shell, by its own number.
	{tokens: "|qttestbrowser", name: "Safari"},
	{tokens: "|fennec", name: "Firefox"},
	{tokens: "|firefox|minefield|lorentz|shiretoko|namoroka|bonecho|granparadiso", name: "Firefox"},
	{tokens: "|headlesschrome|chrome|crmo", name: "Chrome"},
}

// app is one program that shows pages in a view of its own. A word that other
// programs use as well counts only with a number behind a slash.
type app struct {
	tokens, name string
	slash        bool
	after        string // what its version stands behind, if not its token
}

var apps = []app{
	{tokens: "|micromessenger|wxwork|windowswechat|macwechat|wechat|wecom", name: "WeChat"},
	{tokens: "|barcelona", name: "Threads"},
	{tokens: "|instagram", name: "Instagram"},
	{tokens: "|messenger|messengerforios|messengerliteforios|messengerlite|mlite|orca|orca-android|messengerdesktop", name: "Messenger", after: "FBAV/"},
	{tokens: "|line", name: "LINE", slash: true},
	{tokens: "|musical_ly|bytedancewebview|trill|com.zhiliaoapp.musically|com.ss.android.ugc.trill|com.ss.android.ugc.aweme|aweme|ultralite|musically_go|tiktok|douyin|tiktoklite", name: "TikTok", after: "app_version/"},
	{tokens: "|snapchat", name: "Snapchat"},
	{tokens: "|linkedinapp|linkedin", name: "LinkedIn", after: "LinkedInApp]/"},
	{tokens: "|pinterest", name: "Pinterest", after: " for iOS/"},
	{tokens: "|twitter|twitterandroid|twitterios", name: "X", after: " for iPhone/"},
	{tokens: "|slack|slack_ssb|com.tinyspeck.chatlyio", name: "Slack"},
	{tokens: "|teams|maglev|teamsmobile|teamsmobile-ios|teamsmobile-android|skypeteams", name: "Teams"},
	{tokens: "|kakaotalk", name: "KakaoTalk"},
	{tokens: "|naver", name: "Naver", after: "search; "},
	{tokens: "|daumapps|daum|daumdevice", name: "Daum"},
	{tokens: "|weibo|weibointlios|weibointlandroid|weibolite|weiboliteios", name: "Weibo", after: "__weibo__"},
	{tokens: "|dingtalk|dingtalk-win|dingtalk-mac", name: "DingTalk"},
	{tokens: "|alipayclient|alipay|aliapp", name: "Alipay"},
	{tokens: "|waios|wa4a|whatsapp", name: "WhatsApp"},
	{tokens: "|telegram-android|telegram|telegram-ios", name: "Telegram"},
	{tokens: "|zalo|zaloandroid|zaloios", name: "Zalo"},
	{tokens: "|viber", name: "Viber"},
	{tokens: "|discord|discordcanary|discordptb", name: "Discord"},
	{tokens: "|reddit", name: "Reddit", slash: true, after: "Reddit/Version "},
	{tokens: "|spotify", name: "Spotify"},
	{tokens: "|youtube|com.google.ios.youtube|com.google.android.youtube", name: "YouTube", slash: true},
	{tokens: "|outlook-ios|outlook-android|outlookmobile|microsoft outlook|ms-outlook", name: "Outlook"},
	{tokens: "|googlego|google go|nstnwv", name: "Google Go"},
	{tokens: "|bingweb|bingsapphire|sapphire|bingipadclient|bing", name: "Bing", slash: true},
	{tokens: "|googleassistant|opa", name: "Google Assistant", slash: true},
	{tokens: "|qq", name: "QQ", slash: true},
	{tokens: "|fban|fbav|fb_iab|fbios|fb4a|metaiab|fbdv|fb_fw", name: "Facebook"},
}

// system is one operating system: the name that the evidence has, and the
// canonical one if that is another. On a phone's or tablet's system, device
// is what it runs on unless the user agent says more.
type system struct {
	tokens, name, canonical, device string
}

// Windows Phone carries Android's and the iPhone's names, and all the smaller
// ones carry Linux's, so they come first.
var systems = []system{
	{tokens: "|windows phone|windows ce|windowsce|windows mobile", name: "Windows Phone", canonical: "other", device: "phone"},
	{tokens: "|kaios|symbianos|symbian|symbos|series60|series40|s60|bada|meego|sailfish|maemo", name: "other", device: "phone"},
	{tokens: "|blackberry|bb10|rim|playbook", name: "other", device: "phone"},
	{tokens: "|webos|hpwos", name: "other", device: "phone"},
	{tokens: "|tizen|web0s", name: "other"},
	{tokens: "|freebsd|openbsd|netbsd|dragonfly|sunos|solaris|haiku|fuchsia|beos|amigaos|os/2|unix", name: "other", device: "desktop"},
	{tokens: "|windows|win|winnt|windows nt", name: "Windows", device: "desktop"},
	{tokens: "|cros", name: "ChromeOS", device: "desktop"},
	{tokens: "|ipad", name: "iPadOS", canonical: "iOS", device: "tablet"},
	{tokens: "|iphone|ipod", name: "iOS", device: "phone"},
	{tokens: "|android|harmonyos|openharmony|yunos|adr", name: "Android", device: "phone"},
	{tokens: "|ios", name: "iOS", device: "phone"},
	{tokens: "|macintosh|mac|macos|darwin|mac_powerpc", name: "macOS", device: "desktop"},
	{tokens: "|linux|ubuntu|fedora|debian|gentoo|x11", name: "Linux", device: "desktop"},
}

// windows gives the names of Windows by the number behind NT, or by its name.
var windows = table{
	{"3.11", "3.1"}, {"5.0", "2000"}, {"5.01", "2000"}, {"5.1", "XP"}, {"5.2", "XP"}, {"6.0", "Vista"}, {"6.1", "7"}, {"6.2", "8"}, {"6.3", "8.1"}, {"6.4", "10"}, {"10.0", "10"}, {"11.0", "11"},
	{"4.90", "ME"}, {"me", "ME"}, {"95", "95"}, {"98", "98"}, {"2000", "2000"}, {"xp", "XP"}, {"vista", "Vista"}, {"7", "7"}, {"8", "8"}, {"8.1", "8.1"}, {"10", "10"}, {"11", "11"},
}

// mark is a word that tells something by itself or by its number.
type mark uint8

// The marks.
const (
	noMark mark = iota
	markChrome
	markWebKit
	markVersion
	markSafari
	markMobile
	markTablet
	markTV
	markView // Android's web view says so
	markGecko
	markPresto
	markTrident
	markMSIE
	markRevision
	markGoanna
	markKHTML
	markEdgeLegacy
	markSilk
	markElectron
	markPuffin
	markOfIOS     // browsers of iOS, also where they play a Macintosh
	markSystem    // iOS's number
	markPhoneName // iOS's number where it stands behind the device
	markAndroid
	markMac
	markWindows
	markWindowsName
	markWindowsPhone
	markLike
	markBuild // a build's name, which may be any word
	markSamsung
	markIEMobile
	marks
)

var markTokens = [marks]string{
	markChrome:       "|chrome|crmo|headlesschrome|chromium",
	markWebKit:       "|applewebkit|webkit",
	markVersion:      "|version",
	markSafari:       "|safari",
	markMobile:       "|mobile|opera mobi|midp|cldc|j2me|up.browser|up.link",
	markTablet:       "|tablet|opera tablet|ipad|playbook|touchpad|kindle|xoom|transformer|mediapad|matepad|mipad|pad|tab|tablet-pc",
	markTV:           "|tv|smart-tv|smarttv|googletv|bravia|appletv|crkey|hbbtv|aftb|aftt|afts|aftm",
	markView:         "|wv",
	markGecko:        "|gecko",
	markPresto:       "|presto",
	markTrident:      "|trident",
	markMSIE:         "|msie",
	markRevision:     "|rv",
	markGoanna:       "|goanna",
	markKHTML:        "|khtml|konqueror",
	markEdgeLegacy:   "|edge",
	markSilk:         "|silk",
	markElectron:     "|electron",
	markPuffin:       "|puffin",
	markOfIOS:        "|fxios|crios|edgios|opios|mxios",
	markSystem:       "|iphone os|cpu os|ios|fbsv",
	markPhoneName:    "|iphone|ipad|ipod",
	markAndroid:      "|android|adr",
	markMac:          "|os x|mac os|macos|macos x",
	markWindows:      "|win 9x|windows nt|win nt|winnt|nt",
	markWindowsName:  "|windows|win",
	markWindowsPhone: "|windows phone",
	markLike:         "|like",
	markSamsung:      "|samsung",
	markBuild:        "|build",
	markIEMobile:     "|iemobile",
}

// androidNames are the words that stood for numbers.
var androidNames = table{{"cupcake", "1.5"}, {"donut", "1.6"}, {"eclair", "2.1"}, {"froyo", "2.2"}, {"gingerbread", "2.3"}, {"honeycomb", "3.0"}}

// tablets are beginnings of the names of models that are tablets though they
// say Mobile, phones those that are not though they do not say it (the page as
// for a desktop, or an app that leaves the word away). Tablets are asked
// first, so that a maker's phones are all that are left.
var (
	tablets = []string{
		"sm-t", "sm-x", "sm-p", "gt-p", "gt-n80", "gt-n51", "sch-i800", "sch-i905", "shw-m380", "kf", "nexus 7", "nexus 9", "nexus 10", "pixel c",
		"tb-", "tb2", "tb3", "tb7", "tb8", "lenovo tb", "lenovo yt", "yt-", "yt3", "yoga", "a2107", "a2109", "a3000", "a3500", "a5500", "a7600", "b6000", "b8000", "s6000",
		"ags", "agr", "bah", "btv-", "jdn", "kob", "sht-", "mrx-", "scmr", "dby", "btk-", "bzt", "cmr-", "cpn-", "mon-", "vrd-", "eln", "agm", "bgo-", "bg2-", "t1-", "m2-", "gem-7", "2105118", "2208128", "m2105k8", "opd", "rmp", "nokia t", "sgp", "lg-v", "vk8", "lm-t", "venue",
		"asus p0", "p01", "p02", "p00a", "k00", "k01", "me1", "me3", "tf10", "tf2", "tf3", "tf7", "transformer", "a1-7", "a1-8", "a3-a", "a100", "a200 ", "a210", "a500", "a501", "a510", "a700", "b1-", "b3-a", "iconia",
		"xoom", "mz60", "bntv", "nook", "kindle", "archos", "ac70", "ac101", "an7", "an8", "an10", "pmt", "pmp", "bq-10", "bq-7", "bq-8", "xelio", "ht07", "ht10", "mfc", "cw-", "iplay", "hudl", "htc flyer", "htc_flyer", "2210", "lt-", "qmv", "qta", "rct", "vfd 1",
	}
	phones = []string{"sm-", "gt-", "galaxy", "pixel", "redmi", "mi ", "poco", "moto", "nokia", "cph", "rmx", "oneplus", "vivo", "htc", "infinix", "tecno", "xperia", "lm-", "lg-"}
)

// entry is all that one token says. Indexes begin at 1; 0 says nothing.
type entry struct {
	browser, app, system uint8
	mark                 [2]mark
	pair                 bool // the first of two words
}

// tokens is the tables above by token.
var tokens = index()

func index() map[string]entry {
	m := make(map[string]entry, 400)
	add := func(tokens string, set func(*entry)) {
		for token := range strings.SplitSeq(tokens[1:], "|") {
			e := m[token]
			set(&e)
			m[token] = e
			if first, _, ok := strings.Cut(token, " "); ok {
				e := m[first]
				e.pair = true
				m[first] = e
			}
		}
	}
	for i, b := range browsers {
		add(b.tokens, func(e *entry) { e.browser = uint8(i + 1) })
	}
	for i, a := range apps {
		add(a.tokens, func(e *entry) { e.app = uint8(i + 1) })
	}
	for i, s := range systems {
		add(s.tokens, func(e *entry) { e.system = uint8(i + 1) })
	}
	for k := mark(1); k < marks; k++ {
		add(markTokens[k], func(e *entry) {
			if e.mark[0] == noMark {
				e.mark[0] = k
			} else {
				e.mark[1] = k
			}
		})
	}
	return m
}
