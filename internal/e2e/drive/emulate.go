//go:build unix

package drive

import "context"

// Device is what Chromium can be made to look like: another browser on another
// device. How the engine behaves stays what it is.
type Device struct {
	// Agent is the user agent; empty leaves Chromium's own.
	Agent string
	// Metadata are the client hints that go with Agent. Without them there are
	// none in requests and empty ones in scripts.
	Metadata *Metadata
	// Platform is navigator.platform; empty leaves that of the system.
	Platform string

	// Width and Height are those of the screen and of the viewport in CSS
	// pixels; zero leaves what the browser was started with. Scale is the
	// number of device pixels in one; zero means 1.
	Width, Height int
	Scale         float64

	// Mobile makes the page obey its viewport element and gives it
	// window.orientation.
	Mobile bool
	// Touch gives it touch events and five touch points.
	Touch bool
}

// Metadata are client hints, as the protocol has them.
type Metadata struct {
	Brands          []Brand  `json:"brands"`          // with majors
	FullVersionList []Brand  `json:"fullVersionList"` // with whole versions
	Platform        string   `json:"platform"`
	PlatformVersion string   `json:"platformVersion"`
	Architecture    string   `json:"architecture"`
	Bitness         string   `json:"bitness,omitempty"`
	Model           string   `json:"model"`
	Mobile          bool     `json:"mobile"`
	FormFactors     []string `json:"formFactors,omitempty"`
}

// Brand is one of the names that a browser goes by.
type Brand struct {
	Brand   string `json:"brand"`
	Version string `json:"version"`
}

// Brands are those of a browser built on Chromium 140, with majors and with
// whole versions; one of them is nonsense, as ever.
func Brands(names ...string) (short, full []Brand) {
	short, full = []Brand{{"Not=A?Brand", "24"}}, []Brand{{"Not=A?Brand", "24.0.0.0"}}
	for _, name := range append([]string{"Chromium"}, names...) {
		short = append(short, Brand{name, "140"})
		full = append(full, Brand{name, "140.0.7339.51"})
	}
	return short, full
}

// Pieces of user agents.
const (
	likeSafari  = " AppleWebKit/605.1.15 (KHTML, like Gecko) "
	likeChrome  = " AppleWebKit/537.36 (KHTML, like Gecko) "
	androidView = "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A.240205.004; wv)" + likeChrome + "Version/4.0 Chrome/140.0.7339.51 Mobile Safari/537.36"
)

// IPhone is Safari 26, which says iOS 18.6 whatever there is.
func IPhone() Device {
	return Device{
		Agent:    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)" + likeSafari + "Version/26.0 Mobile/15E148 Safari/604.1",
		Platform: "iPhone",
		Width:    393, Height: 852, Scale: 3, Mobile: true, Touch: true,
	}
}

// IPad is Safari, which says that it runs on a Mac since iPadOS 13.
func IPad() Device {
	return Device{
		Agent:    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)" + likeSafari + "Version/26.0 Safari/605.1.15",
		Platform: "MacIntel",
		Width:    820, Height: 1180, Scale: 2, Mobile: true, Touch: true,
	}
}

// Pixel is Chrome on an Android phone, with the reduced user agent: only the
// hints tell Android 14 and the model.
func Pixel() Device {
	return Device{
		Agent:    "Mozilla/5.0 (Linux; Android 10; K)" + likeChrome + "Chrome/140.0.0.0 Mobile Safari/537.36",
		Metadata: android("Pixel 8", "Mobile", "Google Chrome"),
		Platform: "Linux armv81",
		Width:    412, Height: 915, Scale: 2.625, Mobile: true, Touch: true,
	}
}

// PixelDesktopSite is Chrome on an Android phone that was asked for the desktop
// site.
func PixelDesktopSite() Device {
	d := Pixel()
	d.Agent = "Mozilla/5.0 (X11; Linux x86_64)" + likeChrome + "Chrome/140.0.0.0 Safari/537.36"
	short, full := Brands("Google Chrome")
	d.Metadata = &Metadata{Brands: short, FullVersionList: full, Platform: "Linux", FormFactors: []string{"Desktop"}}
	return d
}

// AndroidTablet is Chrome on an Android tablet.
func AndroidTablet() Device {
	return Device{
		Agent:    "Mozilla/5.0 (Linux; Android 10; K)" + likeChrome + "Chrome/140.0.0.0 Safari/537.36",
		Metadata: android("SM-X710", "Tablet", "Google Chrome"),
		Platform: "Linux armv81",
		Width:    800, Height: 1280, Scale: 2, Mobile: true, Touch: true,
	}
}

// FacebookIPhone is the view inside of the Facebook app.
func FacebookIPhone() Device {
	d := IPhone()
	d.Agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6_2 like Mac OS X)" + likeSafari + "Mobile/15E148 " +
		"[FBAN/FBIOS;FBAV/530.0.0.48.74;FBBV/776565482;FBDV/iPhone15,4;FBMD/iPhone;FBSN/iOS;FBSV/18.6.2;FBSS/3;FBCR/;FBID/phone;FBLC/en_US;FBOP/80]"
	return d
}

// FacebookAndroid is the view inside of the Facebook app. An app that sets the
// user agent of its view takes its hints away.
func FacebookAndroid() Device {
	d := AndroidView()
	d.Agent, d.Metadata = androidView+" [FB_IAB/FB4A;FBAV/530.0.0.47.72;IABMV/1;]", nil
	return d
}

// InstagramAndroid is the view inside of the Instagram app.
func InstagramAndroid() Device {
	d := AndroidView()
	d.Agent, d.Metadata = androidView+" Instagram 395.0.0.46.81 Android (34/14; 420dpi; 1080x2400; Google/google; Pixel 8; shiba; shiba; en_US; 789012345; IABMV/1)", nil
	return d
}

// AndroidView is the view inside of an app that does not say its name.
func AndroidView() Device {
	d := Pixel()
	d.Agent, d.Metadata = androidView, android("Pixel 8", "Mobile", "Android WebView")
	return d
}

func android(model, form string, names ...string) *Metadata {
	short, full := Brands(names...)
	return &Metadata{
		Brands: short, FullVersionList: full, Platform: "Android", PlatformVersion: "14.0.0",
		Model: model, Mobile: form == "Mobile", FormFactors: []string{form},
	}
}

// Emulate makes the tab look like a device from the next document on. Frames of
// other sites know nothing of the screen, and workers nothing but the user
// agent (Chromium 156). Resize takes the screen and Mobile away again.
func (t *Tab) Emulate(ctx context.Context, d Device) error {
	if d.Width == 0 || d.Height == 0 {
		d.Width, d.Height = t.browser.options.Width, t.browser.options.Height
	}
	if d.Scale == 0 {
		d.Scale = 1
	}
	agent := object{"userAgent": d.Agent, "platform": d.Platform}
	if d.Metadata != nil {
		agent["userAgentMetadata"] = d.Metadata
	}
	if err := t.CallAll(ctx, "Emulation.setUserAgentOverride", agent); err != nil {
		return err
	}
	if err := t.Call(ctx, "Emulation.setDeviceMetricsOverride", object{
		"width": d.Width, "height": d.Height, "screenWidth": d.Width, "screenHeight": d.Height,
		"deviceScaleFactor": d.Scale, "mobile": d.Mobile,
	}, nil); err != nil {
		return err
	}
	return t.CallAll(ctx, "Emulation.setTouchEmulationEnabled", object{"enabled": d.Touch, "maxTouchPoints": 5})
}
