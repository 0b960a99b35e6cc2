"""The explorer in a browser, opened from a folder as its reader opens it."""

import shutil

import pytest
from test_explorer import CLASS_NAMES, UNCHANGING, UNITS, numbers, save_explorer

webdriver = pytest.importorskip("selenium.webdriver", reason="Selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
QUIET = ("quic", "background-networking", "component-update", "sync", "gpu")

pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="no Chromium with its driver is installed")


@pytest.fixture(scope="module")
def explorer(tmp_path_factory):
    return save_explorer(tmp_path_factory.mktemp("explorer"), substitute=True)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    profile = tmp_path_factory.mktemp("profile")
    for flag in ("headless", "no-sandbox", "no-first-run", f"user-data-dir={profile}", "window-size=1300,900"):
        options.add_argument(f"--{flag}")
    for part in QUIET:
        options.add_argument(f"--disable-{part}")
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


class Reader:
    """Somebody who looks at the page and clicks; the clicks since the page was opened are counted."""

    def __init__(self, browser, page):
        self.browser, self.page, self.clicked = browser, page, 0

    def open(self, link="", unit=0):
        self.clicked = 0
        self.browser.get("about:blank")
        self.browser.get(self.page.as_uri() + link)
        self.sees("#unit-title", f"Unit {unit}")

    def all(self, selector):
        return self.browser.find_elements("css selector", selector)

    def sees(self, selector, words):
        WebDriverWait(self.browser, 20).until(
            lambda _: any(words in (found or "") for found in self.texts(selector)), f"{words} is not in {selector}"
        )

    def texts(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map(each => each.textContent)"
        return self.browser.execute_script(script, selector)

    def chooses(self, name, value):
        self.clicks(f"input[name='{name}'][value='{value}']")

    def clicks(self, selector):
        self.all(selector)[0].click()
        self.clicked += 1

    def finds_the_most_invariant(self, model, layer):
        """Open the page and go to the most invariant unit of a layer; return its number, which is shown."""
        self.open()
        self.chooses("model", model)
        self.sees("#sheet-title", f"mnist, {model}, layer 1")
        self.chooses("layer", layer)
        self.sees("#sheet-title", f"mnist, {model}, layer {layer}")
        self.chooses("sort", "invariance")
        unit = self.order()[0]
        self.sees("#unit-title", f"Unit {unit}")
        return unit

    def presses(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def order(self):
        script = "return [...document.querySelectorAll('#tiles a')].map(each => Number(each.dataset.unit))"
        return self.browser.execute_script(script)

    def pixels(self, selector):
        """Return the colours that were painted, asked of the browser by a picture of the element."""
        return self.all(selector)[0].screenshot_as_png

    def address(self):
        return self.browser.execute_script("return location.hash")


@pytest.fixture
def reader(browser, explorer):
    return Reader(browser, explorer)


def test_the_first_page_shows_all_units_of_a_layer_and_one_of_them(reader):
    reader.open()
    assert reader.order() == list(range(UNITS[0]))
    assert len(reader.all("#solutions canvas")) == 3 and len(reader.all("#examples canvas")) == 9
    assert (
        "Substitute data: mnist" in reader.all("#substitute")[0].text and "made <up>" in reader.texts("#substitute")[0]
    )
    assert "null" not in reader.texts("#unit")[0] and "undefined" not in reader.texts("body > header, main")[0]
    assert not [line for line in reader.browser.get_log("browser") if line["level"] == "SEVERE"]


def test_a_choice_leads_to_another_layer_and_sorting_puts_the_most_invariant_first(reader, explorer):
    reader.open()
    reader.chooses("model", "sdae")
    reader.sees("#sheet-title", "mnist, sdae, layer 1")
    reader.chooses("layer", "2")
    reader.sees("#sheet-title", "mnist, sdae, layer 2")
    reader.chooses("sort", "invariance")
    areas = numbers(explorer.parent / "mnist" / "sdae" / "layer2.js")["areas"]
    live = sorted((unit for unit in range(UNITS[1]) if unit != 4), key=lambda unit: -areas[unit])
    assert reader.order() == [*live, 4]  # the dead unit is the last
    reader.clicks("#tiles a")
    reader.sees("#unit-title", f"Unit {live[0]}")
    assert reader.address() == f"#mnist/sdae/2/{live[0]}"
    full = set(numbers(explorer.parent / "mnist" / "sdae" / "layer2.js")["maximized"]["units"])
    assert set(range(6)) < full and full & set(live[:3]) == set(live[:3])
    reader.chooses("set", "full")
    assert reader.order() == [unit for unit in live if unit in full] + [4]
    reader.chooses("sort", "rotation")
    assert set(reader.order()) == full and reader.order()[-1] == 4
    assert reader.texts("#tiles a:last-child span")[0] == "dead"


def test_each_of_the_first_questions_takes_four_clicks_at_most(reader, explorer):
    areas = numbers(explorer.parent / "mnist" / "sdae" / "layer2.js")["areas"]
    best = max((unit for unit in range(UNITS[1]) if unit != 4), key=lambda unit: areas[unit])
    # Which is the most invariant unit of a deep layer, how do its solutions compare, and what does it see?
    assert reader.finds_the_most_invariant("sdae", "2") == best and reader.clicked <= 4
    assert len(reader.all("#solutions canvas")) == 3 and "Mean cosine" in reader.texts("#unit")[0]
    assert all(words in list("0123456") for words in reader.texts("#examples figcaption"))
    assert reader.clicked <= 4
    # How does it look at ε = 1?
    reader.clicks("[aria-label='ε = 1.0']")
    reader.sees("#distance", "ε = 1.0")
    assert reader.clicked <= 4
    # And a link to it, which opens it elsewhere.
    reader.finds_the_most_invariant("sdae", "2")
    reader.clicks("#copy")
    reader.sees("#copy", "Copied")
    assert reader.clicked <= 4
    link = reader.all("#link")[0].get_attribute("value")
    assert link == f"{explorer.as_uri()}#mnist/sdae/2/{best}"
    reader.open(link.partition("index.html")[2], unit=best)
    assert reader.all("input[name=model]:checked")[0].get_attribute("value") == "sdae" and reader.clicked == 0


def test_measures_that_a_layer_lacks_are_not_offered(reader):
    def offered():
        return [each.get_attribute("value") for each in reader.all("input[name=sort]")]

    reader.open("#mnist/dbn/2/0")
    assert offered() == ["number", "invariance", "class", "rotation", "vertical translation"]
    reader.open("#mnist/dbn/1/0")
    assert offered() == ["number", "invariance", "class"]


def test_output_units_are_shown_with_their_classes(reader):
    reader.open()
    reader.chooses("layer", "output")
    reader.sees("#sheet-title", "mnist, dbn, output units")
    reader.clicks("#tiles [data-unit='3']")
    reader.sees("#unit-title", "Unit 3: class 3")
    reader.sees("#unit", "output units of the mnist dbn classifier")
    assert reader.address() == "#mnist/dbn/output/3" and len(reader.all("#solutions canvas")) == 3
    assert set(reader.texts("#examples figcaption")) <= set("0123456")
    reader.open("#mnist/dbn/output/3", unit=3)
    reader.chooses("model", "sdae")  # which has none
    reader.sees("#sheet-title", "mnist, sdae, layer 1")


def test_dead_units_are_marked_and_come_last(reader):
    reader.open("#mnist/dbn/1/4", unit=4)
    reader.sees("#unit", "; dead")
    reader.sees("#tiles [data-unit='4']", "4 dead")
    for sort in ("invariance", "class"):
        reader.chooses("sort", sort)
        assert reader.order()[-2:] == [4, UNCHANGING]
        assert reader.all("#tiles .dead")[0].accessible_name == "unit 4, dead"
    reader.clicks("#tiles a:last-child")
    reader.sees("#unit", "It is dead: it hardly changes over the test examples.")


def test_a_class_brings_its_units_together(reader, explorer):
    reader.open("#mnist/dbn/1")
    reader.chooses("sort", "class")
    *classes, one, two = [words.split(" ×")[0] for words in reader.texts("#tiles span")]
    assert one == two == "dead" and classes == sorted(classes, key=int) and set(classes) <= set("0123456")


def test_classes_are_called_as_the_user_calls_them(reader):
    reader.open("#own/net/2/3", unit=3)
    assert set(reader.texts("#examples figcaption")) <= set(CLASS_NAMES)
    reader.chooses("sort", "class")
    found = {words.split(" ×")[0] for words in reader.texts("#tiles span")}
    assert found <= {*CLASS_NAMES, "dead"} and found & {*CLASS_NAMES}


def test_a_link_opens_its_unit_and_a_wrong_one_says_so(reader):
    reader.open("#own/net/2/3", unit=3)
    assert reader.all("input[name=dataset]:checked")[0].get_attribute("value") == "own"
    assert reader.all("#link")[0].get_attribute("value").endswith("index.html#own/net/2/3")
    reader.open("#own/net/2/99")
    assert "no unit 99" in reader.all("#broken")[0].text


def test_arrow_keys_walk_along_the_sheet(reader):
    reader.open("#mnist/dbn/1/3", unit=3)
    reader.presses(Keys.ARROW_RIGHT)
    reader.sees("#unit-title", "Unit 4")
    reader.sees("#unit", "It is dead")
    reader.presses(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    reader.sees("#unit-title", "Unit 2")
    reader.presses(Keys.ARROW_DOWN)
    across = len(reader.browser.execute_script("return getComputedStyle(tiles).gridTemplateColumns").split())
    reader.sees("#unit-title", f"Unit {2 + across}")
    reader.sees("#said", f"Unit {2 + across}, mnist dbn, layer 1")


def test_the_slider_and_the_strip_move_along_the_manifold(reader):
    reader.open("#mnist/dbn/1/3", unit=3)
    reader.sees("#distance", "ε = 0.0: 100 %")
    first = reader.pixels("#frame")
    reader.all("#epsilon")[0].send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    reader.sees("#distance", "ε = 1.0")
    assert reader.pixels("#frame") != first and reader.texts("#unit-title") == ["Unit 3"]
    assert reader.all("#epsilon")[0].get_attribute("aria-valuetext").startswith("ε = 1.0")
    reader.clicks("[data-frame='4']")
    reader.sees("#distance", "ε = 2.0: 0 %")


def test_what_is_not_kept_of_a_unit_is_said_with_the_nearest_that_has_it(reader):
    reader.open("#mnist/dbn/1/20", unit=20)
    assert "not of this one" in reader.texts("#unit")[0]
    assert reader.texts("#unit")[0].count("not of this one") == 1
    reader.clicks(".near")
    WebDriverWait(reader.browser, 20).until(lambda _: len(reader.all("#solutions canvas")) == 3)


def test_every_image_and_choice_has_words(reader):
    reader.open("#mnist/dbn/2/1", unit=1)
    assert not reader.all("canvas:not([aria-label])") and not reader.all("#tiles a:not([aria-label])")
    assert all(each.accessible_name for each in reader.all("input, button, nav, section"))
    assert len(reader.all("#tiles a[tabindex='0']")) == 1


def test_a_phone_shows_all_without_scrolling_sideways(reader):
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    reader.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        reader.open("#mnist/dbn/2/1", unit=1)
        assert reader.browser.execute_script("return document.documentElement.scrollWidth") <= 360
        assert abs(reader.browser.execute_script("return unit.getBoundingClientRect().top")) < 5
    finally:
        reader.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_damaged_images_and_missing_numbers_are_said_and_break_nothing(browser, tmp_path):
    reader = Reader(browser, save_explorer(tmp_path))
    (tmp_path / "mnist/dbn/layer1_units.png").write_bytes(b"no image")
    (tmp_path / "own/net/layer1_solutions.png").unlink()
    (tmp_path / "mnist/dbn/layer2.js").unlink()
    (tmp_path / "mnist/sdae/layer1.js").write_text("receive({")
    reader.open()
    reader.sees("#broken", "mnist/dbn/layer1_units.png are missing or damaged")
    assert not reader.all("#substitute")[0].is_displayed() and len(reader.all("#solutions canvas")) == 3
    reader.chooses("layer", "2")
    reader.sees("#broken", "missing or damaged (mnist/dbn/layer2.js)")
    reader.chooses("model", "sdae")
    reader.sees("#sheet-title", "mnist, sdae, layer 2")
    reader.sees("#unit-title", "Unit 0")
    assert reader.texts("#broken") == [""]
    reader.chooses("layer", "1")
    reader.sees("#broken", "missing or damaged (mnist/sdae/layer1.js)")
    reader.open("#own/net/1/2", unit=2)
    reader.sees("#broken", "own/net/layer1_solutions.png are missing or damaged")
    assert len(reader.all("#examples canvas")) == 9
    reader.clicks("#tiles [data-unit='3']")
    reader.sees("#unit-title", "Unit 3")
